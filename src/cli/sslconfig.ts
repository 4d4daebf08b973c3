/** `sslconfig`: protocol versions and ciphers of inbound TLS. Pure. */
import { isMapping, type Mapping } from '../config/document.ts';
import type { ConfigCommand } from './collection.ts';
import { shown } from './form.ts';

const LABELS = { 'TLSv1.2': 'TLSv1.2', 'TLSv1.3': 'TLSv1.3' } as const;

export const SSLCONFIG: ConfigCommand = {
  name: 'sslconfig',
  collections: [],
  heading: ({ ssl }) => {
    const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', ciphers }: Mapping = isMapping(ssl) ? ssl : {};
    const method = minVersion === maxVersion ? shown(minVersion) : `${shown(minVersion)} to ${shown(maxVersion)}`;
    return [
      'sslconfig settings:',
      `  Inbound SMTP method:  ${method}`,
      `  Inbound SMTP ciphers: ${ciphers === undefined ? 'those of the platform' : shown(ciphers)}`,
    ].join('\n');
  },
  settings: [
    {
      name: 'inbound',
      does: 'Edit inbound SMTP ssl settings.',
      section: ['ssl'],
      fields: () => [
        { key: 'minVersion', ask: 'Enter the oldest inbound SMTP ssl method you want to use.', labels: LABELS },
        { key: 'maxVersion', ask: 'Enter the newest inbound SMTP ssl method you want to use.', labels: LABELS },
        { key: 'ciphers', ask: 'Enter the inbound SMTP ssl cipher you want to use (an OpenSSL cipher list).' },
      ],
    },
  ],
};
