/** `crlconfig`: where revocation lists come from, and what is checked against them. Effects: see `config-command.io.ts`. */
import { isMapping } from '../config/document.ts';
import type { ConfigCommand, Script } from './collection.ts';
import { crl } from './crl.io.ts';
import { optionOf } from './editor.io.ts';
import { shown } from './form.ts';

/** The same for scripts, as `sallyport crl`. */
const script = (name: string, operation: 'list' | 'update'): Script => ({
  usage: [name === 'update' ? '[SOURCE]' : ''],
  options: [],
  run: async (editor, words) => {
    const json = editor.session.parsed.flags.has('json') ? ['--json'] : [];
    return await crl([operation, ...words, ...json, ...optionOf(editor, 'data')], editor.session.write);
  },
});

export const CRLCONFIG: ConfigCommand = {
  name: 'crlconfig',
  collections: [
    {
      kind: 'source',
      section: ['crl', 'sources'],
      noun: 'CRL source',
      askName: 'Enter a name for this CRL source.',
      row: (object) => {
        if (!isMapping(object)) return '';
        const { type = '', primaryUrl = '', schedule = { every: '1h' }, enabled = true } = object;
        return `(${shown(type)}, ${shown(primaryUrl)}, ${shown(schedule)})${enabled === false ? ' not enabled' : ''}`;
      },
      fields: () => [
        {
          key: 'type',
          ask: 'Choose the file type:',
          labels: { pem: 'PEM (several lists may follow each other)', asn1: 'ASN.1 (one list in DER)' },
        },
        { key: 'primaryUrl', ask: 'Enter the primary URL, with the name of the file.' },
        { key: 'secondaryUrl', ask: 'Enter the secondary URL, asked when the primary does not give a good list.' },
        { key: 'schedule', ask: 'When is the list downloaded? (manual, every 15m, daily 03:30, or cron 30 3 * * *)' },
        { key: 'enabled', ask: 'Do you want to enable this CRL source?' },
        {
          key: 'whenUnavailable',
          ask: 'While this source has never had a good copy, certificates that no other list covers are:',
          labels: { refuse: 'Refused', accept: 'Accepted' },
        },
        {
          key: 'whenExpired',
          ask: 'Once the list has expired, its certificates are:',
          labels: { refuse: 'Refused', accept: 'Accepted' },
        },
      ],
    },
  ],
  settings: [
    {
      name: 'setup',
      does: 'Choose what is checked against the lists.',
      section: ['crl'],
      fields: () => [
        { key: 'checkInbound', ask: 'Do you want CRL check for inbound SMTP TLS?' },
        { key: 'checkOutbound', ask: 'Do you want CRL check for outbound SMTP TLS?' },
        { key: 'checkWebInterface', ask: 'Do you want CRL check for the Web Interface?' },
        {
          key: 'whenNoSource',
          ask: 'Certificates of an issuer that no source has a list of are:',
          labels: { refuse: 'Refused', accept: 'Accepted' },
        },
      ],
    },
  ],
  extras: [
    {
      name: 'status',
      does: 'Show the lists of the running gateway.',
      looks: true,
      run: async (editor) =>
        void (await crl(['list', ...optionOf(editor, 'data')], (text) => editor.dialogue.write(text))),
    },
    {
      name: 'update',
      does: 'Fetch the lists of the running configuration now.',
      looks: true,
      run: async (editor) =>
        void (await crl(['update', ...optionOf(editor, 'data')], (text) => editor.dialogue.write(text))),
    },
  ],
  scripts: {
    status: script('status', 'list'),
    update: script('update', 'update'),
  },
};
