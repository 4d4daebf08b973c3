/**
 * `certconfig` for scripts: `list`, `show`, `import`, `new`, `edit`, `export`, `delete`, and the same behind `authority`.
 * Effects: the configuration, files, key generation.
 */
import { certificateRequest, KEY_TYPES, newKey } from '../tls/certificate-request.ts';
import type { Edit } from '../config/configuration-store.ts';
import type { Mapping } from '../config/document.ts';
import { refuseImpossible } from '../config/refusals.ts';
import { isoTime } from '../core/time-text.ts';
import { UsageError } from './arguments.ts';
import { readCertificates } from './cert-files.io.ts';
import { namesOf, selfSignedFor } from './cert-make.io.ts';
import {
  asAuthority,
  asCertificate,
  entriesOf,
  NOUNS,
  readEntry,
  renewed,
  rowsOf,
  type Taken,
} from './certificate-entries.io.ts';
import { CertificateObjects } from './certificate-objects.io.ts';
import { certificateTable } from './certificate-table.ts';
import { readDays } from './certificate-days.ts';
import type { Script } from './collection.ts';
import { type Editor, editedLines } from './editor.io.ts';
import { refusedByFile, said } from './on-configuration.io.ts';
import { writeNewFile } from './text-files.io.ts';

type Verb = (objects: CertificateObjects, words: readonly string[]) => Promise<number>;

const refuse = (editor: Editor, why: string): number => said(editor.session, refuseImpossible(why), () => '');

async function list({ editor, section }: CertificateObjects): Promise<number> {
  const rows = await rowsOf(editor, section);
  return said(editor.session, { ok: true, rows }, () => `${certificateTable(rows, Date.now())}\n`, {
    json: () =>
      rows.map(({ name, certificate, why }) => ({
        name,
        ...(certificate === undefined
          ? { why }
          : {
              subject: certificate.subject.rfc4514,
              issuer: certificate.issuer.rfc4514,
              notBefore: isoTime(certificate.notBeforeMs),
              notAfter: isoTime(certificate.notAfterMs),
            }),
      })),
  });
}

async function show(objects: CertificateObjects, [name = '']: readonly string[]): Promise<number> {
  const found = await objects.described(name);
  if (!found.ok) return refuse(objects.editor, found.why);
  return said(objects.editor.session, { ok: true, text: found.text }, () => found.text);
}

async function put(objects: CertificateObjects, name: string, value: Mapping): Promise<number> {
  return await apply(objects.editor, { op: 'set', path: [objects.section, name], value });
}

async function apply(editor: Editor, edit: Edit): Promise<number> {
  return said(editor.session, await editor.edit([edit]), editedLines);
}

async function take(objects: CertificateObjects, name: string, taken: Taken): Promise<number> {
  if (!taken.ok) return refuse(objects.editor, taken.why);
  return await put(objects, name, taken.value);
}

async function importFile(objects: CertificateObjects, [name = '', file = '']: readonly string[]): Promise<number> {
  const { editor, section } = objects;
  if (Object.hasOwn(await entriesOf(editor, section), name))
    return refuse(editor, `there is a ${NOUNS[section]} ${name} already`);
  const read = await readCertificates(file);
  return await take(objects, name, section === 'certificates' ? asCertificate(read) : asAuthority(read));
}

async function edit(objects: CertificateObjects, [name = '', file = '']: readonly string[]): Promise<number> {
  const { editor, section } = objects;
  const read = await readCertificates(file);
  if (section === 'certificateAuthorities') return await take(objects, name, asAuthority(read));
  const present = await readEntry(editor, section, name);
  return await take(objects, name, renewed(read, present, await objects.entry(name)));
}

async function create(objects: CertificateObjects, [name = '']: readonly string[]): Promise<number> {
  const { editor, section } = objects;
  if (section !== 'certificates') throw new UsageError('an authority is imported');
  if (Object.hasOwn(await entriesOf(editor, section), name))
    return refuse(editor, `there is a certificate ${name} already`);
  const {
    names = '',
    days = '365',
    'key-type': type = 'p256',
    organization,
    unit,
    locality,
    state,
    country,
  } = editor.session.parsed.options;
  const list = namesOf(names);
  const lifetime = readDays(days);
  const keyType = KEY_TYPES.find((each) => each === type);
  if (typeof list === 'string') throw new UsageError(`--names${list}`);
  if (!lifetime.ok) throw new UsageError(`--days: ${lifetime.why}`);
  if (keyType === undefined) throw new UsageError(`--key-type is one of ${KEY_TYPES.join(', ')}`);
  const wanted = { names: list, organization, unit, locality, state, country };
  const key = newKey(keyType);
  const csr = await certificateRequest(wanted, key);
  const value = {
    certPem: await selfSignedFor(wanted, key, lifetime.value),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
  const answer = await editor.edit([{ op: 'set', path: [section, name], value }]);
  return said(editor.session, answer.ok ? { ...answer, csr } : answer, () => csr);
}

async function exportFile(objects: CertificateObjects, [name = '', file = '']: readonly string[]): Promise<number> {
  const found = await objects.pem(name);
  if (!found.ok) return refuse(objects.editor, found.why);
  const written = writeNewFile(file, found.text);
  if (!written.ok) return refuse(objects.editor, written.text);
  return said(objects.editor.session, { ok: true, file }, () => `${written.text}\n`);
}

async function remove({ editor, section }: CertificateObjects, [name = '']: readonly string[]): Promise<number> {
  if (!Object.hasOwn(await entriesOf(editor, section), name))
    return refuse(editor, `there is no ${NOUNS[section]} ${name}`);
  return await apply(editor, { op: 'delete', path: [section, name] });
}

async function rename(
  { editor, section }: CertificateObjects,
  [name = '', to = '']: readonly string[],
): Promise<number> {
  return await apply(editor, { op: 'rename', path: [section, name], to });
}

type Described = { readonly usage: string; readonly words: number; readonly looks?: true; readonly run: Verb };

const VERBS: Readonly<Record<string, Described>> = {
  list: { usage: '', words: 0, looks: true, run: list },
  show: { usage: 'NAME', words: 1, looks: true, run: show },
  import: { usage: 'NAME FILE', words: 2, run: importFile },
  new: {
    usage:
      'NAME --names NAME,NAME [--days N] [--key-type TYPE] [--organization TEXT] [--unit TEXT] [--locality TEXT] [--state TEXT] [--country CC]',
    words: 1,
    run: create,
  },
  edit: { usage: 'NAME FILE', words: 2, run: edit },
  export: { usage: 'NAME FILE', words: 2, looks: true, run: exportFile },
  delete: { usage: 'NAME', words: 1, run: remove },
  rename: { usage: 'NAME NEW-NAME', words: 2, run: rename },
};

const OPTIONS = ['names', 'days', 'key-type', 'organization', 'unit', 'locality', 'state', 'country'];

async function run(objects: CertificateObjects, name: string, words: readonly string[]): Promise<number> {
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined || words.length !== verb.words)
    throw new UsageError(verb === undefined ? '' : `${name} needs ${verb.usage}`);
  if (verb.looks !== true && refusedByFile(objects.editor.session)) return 1;
  return await verb.run(objects, words);
}

const ofAuthorities = Object.entries(VERBS).filter(([name]) => name !== 'new');

export const certificateScripts: Readonly<Record<string, Script>> = {
  ...Object.fromEntries(
    Object.entries(VERBS).map(([name, { usage }]): [string, Script] => [
      name,
      {
        usage: [usage],
        options: OPTIONS,
        run: (editor, words) => run(new CertificateObjects(editor, 'certificates'), name, words),
      },
    ]),
  ),
  authority: {
    usage: ofAuthorities.map(([name, { usage }]) => `${name} ${usage}`.trimEnd()),
    options: [],
    run: (editor, [name = '', ...words]) => run(new CertificateObjects(editor, 'certificateAuthorities'), name, words),
  },
};
