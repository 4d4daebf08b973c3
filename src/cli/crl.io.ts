/** `sallyport crl list|update`: asks the running gateway over its control socket. Effects: the control socket. */
import path from 'node:path';
import { askGateway } from '../admin/control.io.ts';
import type { CrlListing } from '../tls/crl-store.io.ts';
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
  const query = source === undefined ? '' : `?source=${encodeURIComponent(source)}`;
  const answer =
    operation === 'update'
      ? await askGateway(dataDir, 'POST', `/crl/update${query}`)
      : await askGateway(dataDir, 'GET', '/crl');
  if (!answer.ok) {
    write(`sallyport: ${answer.why}\n`);
    return 1;
  }
  const listing = answer.body as CrlListing;
  write(parsed.flags.has('json') ? `${JSON.stringify(listing, null, 2)}\n` : renderCrlList(listing));
  return 0;
}
