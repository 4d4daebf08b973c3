/** Places of a tree in the order in which a person reads it, for faults that have no line of a file. Pure. */
import { isList, isMapping, type Json, type Path } from './document.ts';
import type { Position } from './located-fault.ts';

/** As `positionOf` of a YAML document, with a count in place of the line. */
export function orderIn(tree: Json): (path: Path) => Position {
  const places = new Map<string, number>();
  const walk = (value: Json, path: Path): void => {
    places.set(JSON.stringify(path), places.size + 1);
    const inner = isList(value) ? value.entries() : isMapping(value) ? Object.entries(value) : [];
    for (const [step, each] of inner) walk(each, [...path, step]);
  };
  walk(tree, []);
  return (path) => {
    for (let length = path.length; length >= 0; length--) {
      const line = places.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return { line, column: 1 };
    }
    return { line: 1, column: 1 };
  };
}
