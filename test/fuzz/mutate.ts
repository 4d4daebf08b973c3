/**
 * New inputs from old ones, by chance that can be repeated: octets changed, and whole DER elements removed, doubled,
 * moved, exchanged between inputs, retagged or nested, with the lengths around them put right or left wrong.
 * Pure: the random number generator is handed in.
 */
import { childrenOf, contentOf, DerError, type DerNode, readDer } from '../../src/tls/der.ts';

/** From 0 up to, not including, 1. */
export type Chance = () => number;

/** Mulberry32: the same seed gives the same inputs everywhere. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Element = { tag: number; content: Uint8Array | Element[] };

const MAX_INPUT = 8 * 1024;
const MAX_DEPTH = 40;
const OCTETS = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xa3, 0xff];

const below = (chance: Chance, count: number): number => Math.floor(chance() * count);
const pick = <T>(chance: Chance, list: readonly T[]): T => list[below(chance, list.length)] as T;

/** `others`: inputs to borrow elements from. */
export function mutate(input: Uint8Array, others: readonly Uint8Array[], chance: Chance): Uint8Array {
  let output = input;
  for (let rounds = 1 + below(chance, 3); rounds > 0; rounds--) {
    const changed =
      chance() < 0.6 ? changeElements(output, others, chance) : changeOctets(output, pick(chance, others), chance);
    if (changed.length <= MAX_INPUT) output = changed;
  }
  return output;
}

function changeOctets(input: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  const at = below(chance, input.length + 1);
  const to = Math.min(input.length, at + below(chance, 16));
  const [before, middle, after] = [input.subarray(0, at), input.subarray(at, to), input.subarray(to)];
  switch (below(chance, 6)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, middle, middle, after]);
    case 2:
      return Buffer.concat([before, Buffer.of(pick(chance, OCTETS)), after]);
    case 3:
      return Buffer.concat([before, other.subarray(0, below(chance, 32)), after]);
    case 4:
      return before;
    default: {
      const copy = Uint8Array.from(input);
      if (copy.length > 0)
        copy[below(chance, copy.length)] = chance() < 0.5 ? pick(chance, OCTETS) : below(chance, 256);
      return copy;
    }
  }
}

function changeElements(input: Uint8Array, others: readonly Uint8Array[], chance: Chance): Uint8Array {
  const root = treeOf(input);
  const donor = treeOf(pick(chance, others));
  if (root === undefined || donor === undefined) return changeOctets(input, pick(chance, others), chance);
  const lists = listsOf(root);
  if (lists.length === 0) return input;
  const list = pick(chance, lists);
  const at = below(chance, list.length);
  const element = list[at];
  const foreign = pick(chance, [donor, ...listsOf(donor).flat()]);
  if (element === undefined) list.push(foreign);
  else changeOne(list, { at, element, foreign }, chance);
  return encode(root);
}

type Place = { readonly at: number; readonly element: Element; readonly foreign: Element };

function changeOne(list: Element[], { at, element, foreign }: Place, chance: Chance): void {
  switch (below(chance, 8)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.splice(at, 0, element);
      break;
    case 2:
      list[at] = foreign;
      break;
    case 3:
      list.splice(at, 0, foreign);
      break;
    case 4:
      list[at] = { ...element, tag: chance() < 0.5 ? pick(chance, OCTETS) : foreign.tag };
      break;
    case 5:
      list.push(...list.splice(at, 1));
      break;
    case 6:
      list[at] = nest(element, below(chance, 12));
      break;
    default:
      list[at] = { ...element, content: Array.isArray(element.content) ? [] : changeContent(element.content, chance) };
  }
}

function nest(element: Element, depth: number): Element {
  let nested = element;
  for (let i = 0; i < depth; i++) nested = { tag: element.tag | 0x20, content: [nested] };
  return nested;
}

function changeContent(content: Uint8Array, chance: Chance): Uint8Array {
  if (chance() < 0.3) return content.subarray(0, below(chance, content.length + 1));
  if (chance() < 0.3) return Buffer.concat([content, Buffer.alloc(1 + below(chance, 24), pick(chance, OCTETS))]);
  const copy = Uint8Array.from(content);
  if (copy.length > 0) copy[below(chance, copy.length)] = below(chance, 256);
  return copy;
}

/** Undefined where the octets are no DER. OCTET STRINGs and BIT STRINGs that hold DER are opened as well. */
function treeOf(input: Uint8Array): Element | undefined {
  try {
    return elementOf(readDer(input), 0);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function elementOf(node: DerNode, depth: number): Element {
  const content = contentOf(node);
  if (depth >= MAX_DEPTH) return { tag: node.tag, content };
  if ((node.tag & 0x20) !== 0)
    return { tag: node.tag, content: childrenOf(node).map((child) => elementOf(child, depth + 1)) };
  const inner = node.tag === 0x04 && content.length > 1 ? treeOf(content) : undefined;
  return { tag: node.tag, content: inner === undefined ? content : [inner] };
}

function listsOf(element: Element): Element[][] {
  if (!Array.isArray(element.content)) return [];
  return [element.content, ...element.content.flatMap(listsOf)];
}

function encode({ tag, content }: Element): Buffer {
  const octets = Array.isArray(content) ? Buffer.concat(content.map(encode)) : content;
  const { length } = octets;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), octets]);
}
