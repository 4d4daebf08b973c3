/** `sallyport crl list|update`: asks the running gateway over its control socket. Effects: the control socket. */
import path from 'node:path';
import { connectApi } from '../admin/api-client.io.ts';
import type { CrlListing } from '../tls/crl-listing.ts';
import { parseArguments, type Write } from './arguments.ts';
import { renderCrlList } from './crl.ts';

const USAGE = 'usage: sallyport crl list|update [SOURCE] [--data DIR] [--json]\n';

export async function crl(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['data'], flags: ['json'] });
  if (typeof parsed === 'string') {
    write(`${USAGE}${parsed}\n`);
    return 2;
  }
  const [operation, source, ...more] = parsed.rest;
  if (!['list', 'update'].includes(operation ?? '') || more.length > 0) {
    write(USAGE);
    return 2;
  }
  const dataDir = path.resolve(parsed.options['data'] ?? 'data');
  const api = connectApi(dataDir);
  const answer =
    operation === 'update'
      ? await api.call('POST /api/crl/update', { body: source === undefined ? {} : { source } })
      : await api.call('GET /api/crl');
  if (!answer.ok) {
    write(`sallyport: ${answer.refusal.detail}\n`);
    return 1;
  }
  const listing = answer.body as CrlListing;
  write(parsed.flags.has('json') ? `${JSON.stringify(listing, null, 2)}\n` : renderCrlList(listing));
  return 0;
}
