/**
 * Paths of files in a configuration. In a file they are relative to its folder; the configuration store has no folder, so
 * there they must be absolute, and loading a file makes them so. Pure.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Fault, fault } from '../core/fault.ts';
import type { Json, Path } from './document.ts';
import { FILE_PLACES, mapPlaces, type Place } from './document-places.ts';

/** A file: URL is relative where its path does not begin with "/": see CRL sources. */
const URL_PLACES: readonly Place[] = [
  ['crl', 'sources', '*', 'primaryUrl'],
  ['crl', 'sources', '*', 'secondaryUrl'],
];
const RELATIVE_URL = /^file:\/\/(?!\/|localhost\/)/;

export function relativePathFaults(tree: Json): Fault[] {
  const found: Fault[] = [];
  mapPlaces(tree, [...FILE_PLACES, ...URL_PLACES], (value, at) => {
    const isUrl = String(at.at(-1)).endsWith('Url');
    if (typeof value === 'string' && (isUrl ? RELATIVE_URL.test(value) : !path.isAbsolute(value)))
      found.push(fault(at, 'must be an absolute path: a configuration in the store has no folder to start from'));
    return value;
  });
  return found;
}

/** The tree of a file in `folder` as it may stand in the store; `above` is its own path where it is a section. */
export function withAbsolutePaths(tree: Json, folder: string, above: Path = []): Json {
  const resolve = (value: Json): Json => (typeof value === 'string' ? path.resolve(folder, value) : value);
  const resolveUrl = (value: Json): Json =>
    typeof value === 'string' && RELATIVE_URL.test(value)
      ? pathToFileURL(path.resolve(folder, decodeURIComponent(value.slice('file://'.length)))).href
      : value;
  return mapPlaces(mapPlaces(tree, FILE_PLACES, resolve, above), URL_PLACES, resolveUrl, above);
}
