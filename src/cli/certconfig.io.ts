/**
 * `certconfig`: certificates of the gateway, and the authorities of its clients and peers. Imported, pasted or made here they
 * become part of the configuration, their keys encrypted there. Effects: the configuration, the dialogue, files, key generation.
 */
import type { KeyObject } from 'node:crypto';
import { keyBelongsTo } from './certificate-file.ts';
import { certificateRequest, KEY_TYPES, newKey, type Wanted } from '../tls/certificate-request.ts';
import type { ConfigCommand, ExtraOperation } from './collection.ts';
import { readCertificates } from './cert-files.io.ts';
import { namesOf, selfSignedFor } from './cert-make.io.ts';
import { asAuthority, asCertificate, readEntry, readText, renewed, type Taken } from './certificate-entries.io.ts';
import { readDays } from './certificate-days.ts';
import { CertificateObjects } from './certificate-objects.io.ts';
import { certificateScripts } from './certificate-scripts.io.ts';
import { commandMenu } from './config-command.io.ts';
import { CRLCONFIG } from './crlconfig.io.ts';
import { Interrupted } from './dialogue.io.ts';
import type { Editor, MenuOperation } from './editor.io.ts';
import { choice, line, required, type Understood, yesNo } from './question.ts';

const END = "(end with '.')";

async function certificateMenu(editor: Editor): Promise<void> {
  const objects = new CertificateObjects(editor, 'certificates');
  const operations: MenuOperation[] = [
    {
      name: 'import',
      does: 'Import a certificate and its key from a file: PKCS#12 or PEM.',
      run: () => importFile(objects, asCertificate),
    },
    { name: 'paste', does: 'Paste a certificate into the CLI.', run: () => pasteCertificate(objects) },
    { name: 'new', does: 'Create a self-signed certificate and CSR.', run: () => createCertificate(objects) },
    { name: 'edit', does: 'Replace a certificate by the one that an authority has signed.', run: () => renew(objects) },
    ...objects.operations(),
  ];
  await editor.menu(objects.heading, async () => operations);
}

async function authorityMenu(editor: Editor): Promise<void> {
  const objects = new CertificateObjects(editor, 'certificateAuthorities');
  const operations: MenuOperation[] = [
    { name: 'import', does: 'Import authorities from a file.', run: () => importFile(objects, asAuthority) },
    { name: 'paste', does: 'Paste authorities into the CLI.', run: () => pasteAuthority(objects) },
    ...objects.operations(),
  ];
  await editor.menu(objects.heading, async () => operations);
}

/** Says what is wrong and gives the operation up, or takes what there is. */
function accepted({ editor }: CertificateObjects, taken: Taken) {
  if (!taken.ok) {
    editor.dialogue.write(`${taken.why}.\n`);
    throw new Interrupted();
  }
  for (const remark of taken.remarks) editor.dialogue.write(`warning: ${remark}\n`);
  return taken.value;
}

async function importFile(objects: CertificateObjects, take: typeof asCertificate): Promise<void> {
  const name = await objects.askNewName();
  const file = await objects.editor.dialogue.ask(
    line({ text: 'Enter the name of the file to import:', read: required }),
  );
  await objects.put(name, accepted(objects, take(await readCertificates(file))));
}

async function pasteAuthority(objects: CertificateObjects): Promise<void> {
  const name = await objects.askNewName();
  const text = await objects.editor.dialogue.lines(`Paste certificates in PEM format ${END}:`);
  await objects.put(name, accepted(objects, asAuthority(await readText(text))));
}

async function pasteCertificate(objects: CertificateObjects): Promise<void> {
  const { dialogue } = objects.editor;
  const name = await objects.askNewName();
  const certificates = await untilGood(
    objects,
    `Paste public certificate in PEM format ${END}:`,
    ({ certificates: [own] }) => (own === undefined ? 'There is no certificate in it' : undefined),
  );
  const [own] = certificates.certificates;
  const keys = await untilGood(objects, `Paste private key in PEM format ${END}:`, ({ keys: [key] }) =>
    keyWords(key, own),
  );
  const all = [...certificates.certificates];
  while (await dialogue.ask(yesNo('Do you want to add an intermediate certificate?', false))) {
    const more = await untilGood(
      objects,
      `Paste intermediate certificate in PEM format ${END}:`,
      ({ certificates: [first] }) => (first === undefined ? 'There is no certificate in it' : undefined),
    );
    all.push(...more.certificates);
  }
  await objects.put(name, accepted(objects, asCertificate({ ...certificates, certificates: all, keys: keys.keys })));
}

type Read = Extract<Awaited<ReturnType<typeof readText>>, { ok: true }>;

function keyWords(key: KeyObject | undefined, own: Read['certificates'][number] | undefined): string | undefined {
  if (key === undefined) return 'There is no private key in it';
  return own !== undefined && !keyBelongsTo(key, own)
    ? 'The private key does not belong to the certificate'
    : undefined;
}

async function untilGood(
  { editor: { dialogue } }: CertificateObjects,
  text: string,
  fault: (read: Read) => string | undefined,
): Promise<Read> {
  for (;;) {
    const read = await readText(await dialogue.lines(text));
    const why = read.ok ? fault(read) : read.why;
    if (read.ok && why === undefined) return read;
    dialogue.write(`${why ?? ''}.\n\n`);
  }
}

async function createCertificate(objects: CertificateObjects): Promise<void> {
  const { dialogue } = objects.editor;
  const name = await objects.askNewName();
  const names = await dialogue.ask(
    line<string[]>({
      text: 'Enter Common Name (further host names behind it, with commas between):',
      read: (text): Understood<string[]> => {
        const list = namesOf(text);
        return typeof list === 'string' ? { ok: false, why: `A name${list}.` } : { ok: true, value: list };
      },
    }),
  );
  const text = async (label: string): Promise<string | undefined> =>
    (await dialogue.ask(line({ text: `Enter ${label}:` }))) || undefined;
  const wanted: Wanted = {
    names,
    organization: await text('Organization'),
    unit: await text('Organizational Unit'),
    locality: await text('Locality or City'),
    state: await text('State or Province'),
    country: await dialogue.ask(
      line<string | undefined>({ text: 'Enter Country (2 letter code):', read: readCountry }),
    ),
  };
  const days = await dialogue.ask(
    line<number>({ text: 'Duration before expiration (in days):', preset: '365', read: readDays }),
  );
  const types = KEY_TYPES.map((value) => ({ value, label: value }));
  const key = newKey(await dialogue.ask(choice('Enter type of private key:', types, 'p256')));
  const [certPem, csr] = [await selfSignedFor(wanted, key, days), await certificateRequest(wanted, key)];
  if (await dialogue.ask(yesNo('Do you want to view the CSR?', true))) dialogue.write(`${csr}\n`);
  await objects.put(name, { certPem, keyPem: key.export({ type: 'pkcs8', format: 'pem' }) as string });
}

function readCountry(text: string): Understood<string | undefined> {
  if (text === '') return { ok: true, value: undefined };
  return /^[A-Za-z]{2}$/.test(text)
    ? { ok: true, value: text.toUpperCase() }
    : { ok: false, why: 'A country is two letters.' };
}

async function renew(objects: CertificateObjects): Promise<void> {
  const { editor } = objects;
  const name = await objects.pick('edit');
  const text = await editor.dialogue.lines(
    `Paste the certificate that was signed for the private key of ${name}, then its intermediates ${END}:`,
  );
  const present = await readEntry(editor, 'certificates', name);
  await objects.put(name, accepted(objects, renewed(await readText(text), present, await objects.entry(name))));
}

const menu = (name: string, does: string, run: (editor: Editor) => Promise<void>): ExtraOperation => ({
  name,
  does,
  looks: true,
  run,
});

export const CERTCONFIG: ConfigCommand = {
  name: 'certconfig',
  collections: [],
  heading: () => '',
  extras: [
    menu('certificate', 'Import, create, edit or remove certificates.', certificateMenu),
    menu('certauthority', 'Manage certificate authorities.', authorityMenu),
    menu('crl', 'Manage certificate revocation lists.', (editor) => commandMenu(CRLCONFIG, editor)),
  ],
  scripts: certificateScripts,
};
