/** `listenerconfig hostaccess LISTENER …` for scripts. Effects: the configuration, files. */
import type { Edit } from '../config/configuration-store.ts';
import type { Mapping } from '../config/document.ts';
import { refuseImpossible } from '../config/refusals.ts';
import { UsageError } from './arguments.ts';
import type { Script } from './collection.ts';
import { type Editor, editedLines } from './editor.io.ts';
import { withOptions } from './form.ts';
import { HostAccess, importEdits, leftOutLine, position, readTable } from './hostaccess.io.ts';
import { hostAccessText } from './host-access-text.ts';
import { refusedByFile, said } from './on-configuration.io.ts';
import { writeNewFile } from './text-files.io.ts';

const USAGE = [
  'LISTENER print',
  'LISTENER export|import FILE',
  'LISTENER new|edit GROUP [--senders LIST] [--policy POLICY]',
  'LISTENER delete GROUP',
  'LISTENER move GROUP POSITION',
];

export const hostAccessScript: Script = { usage: USAGE, options: ['senders', 'policy'], run };

async function run(editor: Editor, words: readonly string[]): Promise<number> {
  const [listener = '', verb = '', name = '', to = '', ...more] = words;
  const table = new HostAccess(editor, listener);
  const { document, listener: object, groups } = await table.listener();
  const refuse = (why: string): number => said(editor.session, refuseImpossible(why), () => '');
  if (Object.keys(object).length === 0) return refuse(`there is no listener ${listener}`);
  if (more.length > 0 || (to !== '') !== (verb === 'move') || (name === '') !== (verb === 'print'))
    throw new UsageError('');
  const text = hostAccessText(document, object);
  if (verb === 'print') return said(editor.session, { ok: true, groups }, () => text);
  if (verb === 'export') {
    const written = writeNewFile(name, text);
    return written.ok
      ? said(editor.session, { ok: true, file: name }, () => `${written.text}\n`)
      : refuse(written.text);
  }
  if (refusedByFile(editor.session)) return 1;
  if (verb === 'import') {
    const read = readTable(name);
    if (typeof read === 'string') return refuse(read);
    const edited = await editor.edit(importEdits(table.path, read));
    const answer = edited.ok ? { ...edited, leftOut: read.unknown } : edited;
    return said(editor.session, answer, (done) => `${leftOutLine(read)}${editedLines(done)}`);
  }
  const at = groups.findIndex(({ senderGroup }) => senderGroup === name);
  if (verb === 'new') {
    if (at >= 0) return refuse(`${listener} has a sender group ${name} already`);
    return await put({ editor, table, document }, { groups, at, name });
  }
  if (at < 0) return refuse(`${listener} has no sender group ${name}`);
  if (verb === 'move') return await move({ editor, table, document }, { groups, at, name }, to);
  if (verb === 'delete') return await apply(editor, [{ op: 'delete', path: [...table.path, at] }]);
  if (verb === 'edit') return await put({ editor, table, document }, { groups, at, name });
  throw new UsageError(`there is no operation hostaccess ${listener} ${verb}`);
}

type Table = { readonly editor: Editor; readonly table: HostAccess; readonly document: Mapping };
type Group = { readonly groups: readonly Mapping[]; readonly at: number; readonly name: string };

async function move({ editor, table }: Table, { groups, at }: Group, to: string): Promise<number> {
  const place = position(to, groups.length);
  if (!place.ok) return said(editor.session, refuseImpossible(place.why), () => '');
  return await apply(editor, [{ op: 'move', path: [...table.path, at], to: place.value }]);
}

async function put({ editor, table, document }: Table, { groups, at, name }: Group): Promise<number> {
  const { senders, policy } = editor.session.parsed.options;
  const given = { ...(senders === undefined ? {} : { senders }), ...(policy === undefined ? {} : { policy }) };
  const last = groups.at(-1)?.['senderGroup'] === 'ALL' ? groups.length - 1 : groups.length;
  const path = [...table.path, at < 0 ? last : at];
  const value = withOptions(groups[at] ?? { senderGroup: name }, { options: given, typed: {} }, { path, document });
  if (!value.ok) return said(editor.session, refuseImpossible(value.why), () => '');
  return await apply(editor, [{ op: at < 0 ? 'insert' : 'set', path, value: value.value }]);
}

async function apply(editor: Editor, edits: readonly Edit[]): Promise<number> {
  return said(editor.session, await editor.edit(edits), editedLines);
}
