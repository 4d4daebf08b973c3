/** `destconfig`: limits towards the hosts that mail is delivered to. There is the Default entry, and none per domain. Pure. */
import { isMapping, type Mapping } from '../config/document.ts';
import type { ConfigCommand } from './collection.ts';
import { shown } from './form.ts';

export const DESTCONFIG: ConfigCommand = {
  name: 'destconfig',
  collections: [],
  heading: ({ delivery }) => {
    const {
      maxConnectionsPerHost = 20,
      maxMessagesPerConnection = 50,
      maxConnections = 500,
    }: Mapping = isMapping(delivery) ? delivery : {};
    return [
      'Default:',
      `  Concurrent connections per host: ${shown(maxConnectionsPerHost)}`,
      `  Messages per connection:         ${shown(maxMessagesPerConnection)}`,
      `  Concurrent connections in all:   ${shown(maxConnections)}`,
    ].join('\n');
  },
  settings: [
    {
      name: 'default',
      does: 'Change the default.',
      section: ['delivery'],
      fields: () => [
        { key: 'maxConnectionsPerHost', ask: 'Enter the max concurrency limit for a host.' },
        { key: 'maxMessagesPerConnection', ask: 'Enter the maximum number of messages per connection.' },
        { key: 'maxConnections', ask: 'Enter the maximum outbound concurrency, to all hosts together.' },
      ],
    },
  ],
};
