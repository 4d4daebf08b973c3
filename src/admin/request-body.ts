/**
 * The body of an API request as a value: JSON in UTF-8 of bounded size and depth, and nothing else. A content type that
 * a form of another site could send is refused, whatever the body says.
 * Pure.
 */
import { type Problem, problem } from './problem.ts';

export const MAX_BODY_BYTES = 256 * 1024;
const MAX_DEPTH = 64;
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;\s*charset=("?)utf-8\1\s*)?$/i;

export type ParsedBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: Problem };

const refuse = (...args: Parameters<typeof problem>): ParsedBody => ({ ok: false, problem: problem(...args) });

export function parseBody(bytes: Uint8Array, contentType: string | undefined): ParsedBody {
  if (contentType === undefined || !JSON_TYPE.test(contentType.trim()))
    return refuse('unsupported-media-type', 'the body must be JSON: Content-Type: application/json');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('malformed', 'the body is not UTF-8 text');
  }
  if (depthOf(text) > MAX_DEPTH) return refuse('malformed', `the body is nested deeper than ${MAX_DEPTH} levels`);
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return refuse('malformed', `the body is not JSON: ${jsonFault(error)}`);
  }
}

/** V8 repeats a piece of the text, which may hold a password. */
function jsonFault(error: unknown): string {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  return position === undefined ? 'it ends too early or is empty' : `at position ${position}`;
}

/** The deepest nesting, without parsing: brackets outside of strings. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE) quoted = true;
    else if (code === OPEN_LIST || code === OPEN_MAPPING) deepest = Math.max(deepest, ++depth);
    else if (code === CLOSE_LIST || code === CLOSE_MAPPING) depth--;
  }
  return deepest;
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_MAPPING, CLOSE_MAPPING] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];
