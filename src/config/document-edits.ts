/**
 * Edits of a configuration tree, as an administrator makes them one by one: set, delete, insert and move list entries,
 * rename with everything that refers to the name. Whether the result is a configuration is for the schema. Pure.
 */
import { renderFaultPath } from '../core/fault.ts';
import type { Edit } from './configuration-store.ts';
import {
  childOf,
  isList,
  isMapping,
  type Json,
  keyFault,
  type Mapping,
  type Path,
  treeFault,
  valueAt,
} from './document.ts';
import { isAt, mapPlaces, type Place, REFERENCE_PLACES } from './document-places.ts';

/** Why an edit does not fit the document, in a sentence. */
export class EditError extends Error {
  readonly path: Path;

  constructor(path: Path, why: string) {
    super(`${path.length === 0 ? '(the whole)' : renderFaultPath(path)}: ${why}`);
    this.path = path;
  }
}

/** In order, each on what the one before left. Throws EditError where one does not fit. */
export const applyEdits = (document: Json, edits: readonly Edit[]): Json => edits.reduce(applyEdit, document);

function applyEdit(document: Json, edit: Edit): Json {
  const { path } = edit;
  switch (edit.op) {
    case 'set':
      return setAt(document, path, edit.value);
    case 'delete':
      return deleteAt(document, path);
    case 'insert':
      return insertAt(document, path, edit.value);
    case 'move':
      return moveAt(document, path, edit.to);
    case 'rename':
      return renameAt(document, path, edit.to);
  }
}

type Make = (there: Json | undefined, at: Path) => Json | undefined;

/** The tree with what `make` says at the path; undefined takes it away. Mappings on the way are made. */
function changeAt(tree: Json | undefined, path: Path, make: Make, above: Path = []): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return make(tree, above);
  const at = [...above, step];
  if (typeof step === 'number') {
    if (tree !== undefined && !isList(tree)) throw new EditError(above, 'is not a list');
    const list = tree ?? [];
    if (!Number.isInteger(step) || step < 0 || step > list.length)
      throw new EditError(at, `the list has ${list.length} entries`);
    const inner = changeAt(list[step], rest, make, at);
    return inner === undefined ? list.toSpliced(step, 1) : list.toSpliced(step, 1, inner);
  }
  const why = keyFault(step);
  if (why !== undefined) throw new EditError(above, why);
  if (tree !== undefined && !isMapping(tree)) throw new EditError(above, 'is not a mapping of keys');
  const there = childOf(tree, step);
  const inner = changeAt(there, rest, make, at);
  if (inner === undefined) return Object.fromEntries(Object.entries(tree ?? {}).filter(([key]) => key !== step));
  // In its old place: a person's order of keys is kept.
  return there === undefined ? { ...tree, [step]: inner } : replaced(tree ?? {}, step, [step, inner]);
}

const replaced = (tree: Mapping, key: string, entry: readonly [string, Json]): Json =>
  Object.fromEntries(Object.entries(tree).map((each) => (each[0] === key ? entry : each)));

/** For trees that are known to have the path's parent; undefined takes away what is there. */
export function putAt(document: Json, path: Path, value: Json | undefined): Json {
  if (value === undefined && valueAt(document, path) === undefined) return document;
  return changeAt(document, path, () => value) ?? {};
}

function setAt(document: Json, path: Path, value: Json): Json {
  const found = treeFault(value, path);
  if (found !== undefined) throw new EditError(found.path, found.message);
  return changeAt(document, path, () => value) ?? {};
}

function deleteAt(document: Json, path: Path): Json {
  if (path.length === 0) return {};
  mustBeThere(document, path);
  return changeAt(document, path, () => undefined) ?? {};
}

function insertAt(document: Json, path: Path, value: Json): Json {
  const found = treeFault(value, path);
  if (found !== undefined) throw new EditError(found.path, found.message);
  const [list, index] = listOf(document, path, { mayBeNew: true });
  if (index > list.length) throw new EditError(path, `the list has ${list.length} entries`);
  return changeAt(document, path.slice(0, -1), () => list.toSpliced(index, 0, value)) ?? {};
}

function moveAt(document: Json, path: Path, to: number): Json {
  mustBeThere(document, path);
  const [list, index] = listOf(document, path, { mayBeNew: false });
  const entry = list[index];
  if (entry === undefined || !Number.isInteger(to) || to < 0 || to >= list.length)
    throw new EditError(path, `the list has ${list.length} entries`);
  return changeAt(document, path.slice(0, -1), () => list.toSpliced(index, 1).toSpliced(to, 0, entry)) ?? {};
}

function listOf(document: Json, path: Path, { mayBeNew }: { mayBeNew: boolean }): [readonly Json[], number] {
  const index = path.at(-1);
  const above = path.slice(0, -1);
  const list = valueAt(document, above) ?? (mayBeNew ? [] : undefined);
  if (!isList(list) || typeof index !== 'number' || !Number.isInteger(index) || index < 0)
    throw new EditError(path, 'is not an entry of a list');
  return [list, index];
}

function renameAt(document: Json, path: Path, to: string): Json {
  mustBeThere(document, path);
  const from = path.at(-1);
  const section = path.slice(0, -1);
  const why = keyFault(to);
  if (why !== undefined) throw new EditError(path, why);
  if (typeof from !== 'string') throw new EditError(path, 'an entry of a list has no name');
  if (from === to) return document;
  const there = valueAt(document, section);
  if (isMapping(there) && Object.hasOwn(there, to)) throw new EditError([...section, to], 'exists already');
  const renamed = changeAt(document, section, (tree) =>
    isMapping(tree) ? replaced(tree, from, [to, tree[from] ?? null]) : tree,
  );
  return mapPlaces(renamed ?? {}, referencesTo(section), (name) => (name === from ? to : name));
}

const referencesTo = (section: Path): Place[] =>
  REFERENCE_PLACES.filter(([, target]) => isAt(section, target)).map(([at]) => at);

function mustBeThere(document: Json, path: Path): void {
  if (path.length === 0 || valueAt(document, path) === undefined) throw new EditError(path, 'there is nothing here');
}
