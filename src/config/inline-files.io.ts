/**
 * The certificates, keys, authorities and bind passwords of a file's configuration as part of the configuration itself, so
 * that the store holds all and the files may go. Read by whoever loads, who may be allowed to what the gateway is not.
 * Effects: reads files.
 */
import path from 'node:path';
import { type Fault, fault } from '../core/fault.ts';
import { isMapping, type Json, type Mapping, type Path } from './document.ts';
import { mapPlaces, type Place } from './document-places.ts';
import { readTextFile } from './material.io.ts';

type Inline = { readonly object: Place; readonly fileKey: string; readonly key: string; readonly isPassword?: true };

const INLINE: readonly Inline[] = [
  { object: ['certificates', '*'], fileKey: 'certFile', key: 'certPem' },
  { object: ['certificates', '*'], fileKey: 'keyFile', key: 'keyPem' },
  { object: ['certificateAuthorities', '*'], fileKey: 'file', key: 'pem' },
  { object: ['ldap', 'servers', '*', 'bind'], fileKey: 'passwordFile', key: 'password', isPassword: true },
];
const MAX_BYTES = 1024 * 1024;

export type Inlined = { readonly tree: Json; readonly faults: readonly Fault[] };

/** `above`: the tree's own path where it is a section. */
export function inlineFiles(tree: Json, folder: string, above: Path = []): Inlined {
  const faults: Fault[] = [];
  const inlined = INLINE.reduce(
    (before, inline) =>
      mapPlaces(
        before,
        [inline.object],
        (value, at) => {
          const { fileKey, key } = inline;
          const file = isMapping(value) ? value[fileKey] : undefined;
          if (!isMapping(value) || typeof file !== 'string') return value;
          const read = readTextFile(path.resolve(folder, file), MAX_BYTES, inline.isPassword ? 'utf-8' : 'latin1');
          if (read.ok)
            return replaceKey(value, fileKey, [key, inline.isPassword ? withoutLineEnd(read.text) : read.text]);
          faults.push(fault([...at, fileKey], `cannot read ${file}: ${read.why}`));
          return value;
        },
        above,
      ),
    tree,
  );
  return { tree: inlined, faults };
}

const replaceKey = (object: Mapping, old: string, entry: readonly [string, Json]): Json =>
  Object.fromEntries(Object.entries(object).map((each) => (each[0] === old ? entry : each)));

const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '');
