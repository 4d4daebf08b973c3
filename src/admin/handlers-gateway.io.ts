/** Status, metrics, revocation lists, and the description of the API. Effects: asks the control thread and the queue. */
import { GatewayError } from '../core/errors.ts';
import { renderPrometheus } from '../log/metrics.ts';
import { callerOf, type HandlersOf } from './api-context.ts';
import { problem } from './problem.ts';
import type { GATEWAY_ROUTES } from './routes-gateway.ts';

export const GATEWAY_HANDLERS: HandlersOf<typeof GATEWAY_ROUTES> = {
  'GET /api/openapi.json': async (_, __, { openApi }) => ({ body: openApi() }),

  'GET /api/status': async (_, __, { control, queue, clock, config, version }) => {
    const [gateway, summary, workQueue, delivery] = await Promise.all([
      control.gateway.status(),
      queue.summary(),
      queue.workQueue(),
      control.delivery.load().catch(() => undefined),
    ]);
    const { hostname } = config();
    const about = { version, hostname, nowMs: clock.now(), ...gateway, queue: summary, workQueue };
    return { body: { ...about, ...(delivery === undefined ? {} : { delivery }) } };
  },

  'POST /api/counters/reset': async ({ body: { hits } }, call, { control }) => ({
    body: { resetMs: await control.gateway.resetCounters(callerOf(call).name, hits) },
  }),

  'GET /api/metrics': async (_, __, { control }) => ({ body: renderPrometheus(await control.gateway.metrics()) }),

  'GET /api/crl': async (_, __, { control }) => ({ body: await control.crls.list() }),

  'POST /api/crl/update': async ({ body: { source } }, _, { control }) => {
    try {
      return { body: await control.crls.update(source) };
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'config') return problem('not-found', error.message);
      throw error;
    }
  },
};
