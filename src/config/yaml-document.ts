/**
 * A configuration file's text as data, with the line and column of every key. Refused, each with its place: syntax
 * errors, duplicate keys, several documents, tags, aliases that are unknown, circular or that multiply, deep nesting.
 * YAML 1.2 core schema: `off` and `no` are text. Pure.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import { fault } from '../core/fault.ts';
import type { LocatedFault, Position } from './located-fault.ts';

const MAX_DEPTH = 32;
const MAX_ALIASES = 100;
const MAX_SYNTAX_FAULTS = 10;
const CORE_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

type Path = readonly (string | number)[];

export type YamlDocument = {
  readonly data: unknown;
  /** Place of the key or list item; where the path leads nowhere, of the nearest thing around it. */
  readonly positionOf: (path: Path) => Position;
};
export type ParsedYaml =
  | ({ readonly ok: true } & YamlDocument)
  | { readonly ok: false; readonly faults: readonly LocatedFault[] };

const START: Position = { line: 1, column: 1 };
const wholeFile = (message: string): ParsedYaml => ({ ok: false, faults: [{ ...fault([], message), ...START }] });

/** One document. Never throws for what is in the text: that is a fault with line and column. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? START : { line, column: col };
  };
  try {
    const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
    return fromDocuments([...documents], at);
  } catch (error) {
    // The parser is recursive: nesting that its own limits let through ends in a RangeError, not in a wrong answer.
    if (error instanceof RangeError) return wholeFile('the nesting is too deep');
    throw error;
  }
}

function fromDocuments(documents: readonly Document[], at: (offset: number) => Position): ParsedYaml {
  const [document, second] = documents;
  if (document === undefined || (second === undefined && document.contents === null && document.errors.length === 0)) {
    return wholeFile('the file is empty; hostname and listeners are needed');
  }
  const syntax = syntaxFaults(document, at);
  if (syntax.length > 0) return { ok: false, faults: syntax };
  if (second !== undefined) {
    const message = 'several YAML documents in one file; only one is allowed';
    return { ok: false, faults: [{ ...fault([], message), ...at(second.range?.[0] ?? 0) }] };
  }
  const structure = structureFaults(document, at);
  if (structure.length > 0) return { ok: false, faults: structure };
  try {
    const data: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { ok: true, data, positionOf: (path) => at(offsetOf(document, path)) };
  } catch (error) {
    if (error instanceof ReferenceError) return wholeFile('the aliases multiply into too much data');
    throw error;
  }
}

function syntaxFaults(document: Document, at: (offset: number) => Position): LocatedFault[] {
  const found: LocatedFault[] = [];
  for (const error of [...document.errors, ...document.warnings]) {
    const position = at(error.pos[0]);
    // One slip makes several errors on its line; the first names it best.
    if (found.some(({ line }) => line === position.line) || found.length === MAX_SYNTAX_FAULTS) continue;
    found.push({ ...fault(pathAt(document.contents, error.pos[0]), wordsFor(error)), ...position });
  }
  return found;
}

function wordsFor({ code, message }: YAMLError): string {
  if (code === 'DUPLICATE_KEY') return 'duplicate key; a key may appear once';
  if (code === 'NON_STRING_KEY') return 'a key must be a single word or a quoted text';
  if (code === 'TAG_RESOLVE_FAILED') return 'tags are not allowed';
  return `not valid YAML: ${message.slice(0, 1).toLowerCase()}${message.slice(1)}`;
}

/** What is allowed by YAML and not in a configuration. */
function structureFaults(document: Document, at: (offset: number) => Position): LocatedFault[] {
  const found: LocatedFault[] = [];
  const report = (node: Node | null, path: Path, message: string) => {
    found.push({ ...fault(path, message), ...at(node?.range?.[0] ?? 0) });
  };
  const walk = (node: unknown, path: Path, around: readonly Node[]): void => {
    if (!isNode(node)) return;
    if (around.length > MAX_DEPTH) return report(node, path, 'the nesting is too deep');
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) report(node, path, `unknown alias *${node.source}; its anchor must come before it`);
      else if (around.includes(target)) report(node, path, `the alias *${node.source} contains itself`);
      return;
    }
    if (node.tag !== undefined && !CORE_TAG.test(node.tag)) report(node, path, 'tags are not allowed');
    if (isSeq(node)) node.items.forEach((item, i) => walk(item, [...path, i], [...around, node]));
    if (!isMap(node)) return;
    for (const pair of node.items) {
      const key = keyOf(pair);
      if (key === '__proto__') report(pair.key as Node, path, 'the key __proto__ is not allowed');
      walk(pair.value, [...path, key], [...around, node]);
    }
  };
  const { yaml } = document.directives ?? {};
  if (yaml?.explicit === true && yaml.version !== '1.2') report(null, [], 'only YAML 1.2 is allowed');
  walk(document.contents, [], []);
  return found;
}

const keyOf = (pair: Pair): string => String(isScalar(pair.key) ? pair.key.value : pair.key);

const resolved = (node: unknown, document: Document): unknown => (isAlias(node) ? node.resolve(document) : node);

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const inside = resolved(node, document);
    if (isMap(inside)) {
      const pair = inside.items.find((candidate) => keyOf(candidate) === String(step));
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(inside) && typeof step === 'number' && step < inside.items.length) {
      node = inside.items[step];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

/** The keys around an offset, as far as the parser got. */
function pathAt(root: unknown, offset: number): Path {
  const path: (string | number)[] = [];
  let node = root;
  for (let depth = 0; depth < MAX_DEPTH && isCollection(node); depth++) {
    const step = isMap(node) ? stepInMap(node.items, offset) : isSeq(node) ? stepInList(node.items, offset) : undefined;
    if (step === undefined) break;
    path.push(step.step);
    node = step.node;
  }
  return path;
}

type Step = { readonly step: string | number; readonly node: unknown };

const endOf = (node: unknown): number => (isNode(node) ? (node.range?.[2] ?? -1) : -1);

function stepInMap(pairs: readonly Pair[], offset: number): Step | undefined {
  const pair = pairs.findLast(({ key, value }) => {
    const start = startOf(key) ?? Number.POSITIVE_INFINITY;
    return start <= offset && Math.max(endOf(key), endOf(value)) >= offset;
  });
  return pair === undefined ? undefined : { step: keyOf(pair), node: pair.value };
}

function stepInList(items: readonly unknown[], offset: number): Step | undefined {
  const i = items.findLastIndex(
    (item) => (startOf(item) ?? Number.POSITIVE_INFINITY) <= offset && endOf(item) >= offset,
  );
  return i < 0 ? undefined : { step: i, node: items[i] };
}
