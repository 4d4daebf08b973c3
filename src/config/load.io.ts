/**
 * From a file, or from a tree of the configuration store, to a configuration that is right or to its faults: YAML, shape,
 * meaning, the files it names, and the checks that other parts bring. Faults of a file have line and column. `check`,
 * `run`, SIGHUP and every commit come through here.
 * Effects: reads files and, unless it is handed in, the clock.
 */
import path from 'node:path';
import { type Fault, fault } from '../core/fault.ts';
import { type Json, treeFault } from './document.ts';
import { relativePathFaults } from './document-files.ts';
import { inOrder, type LocatedFault } from './located-fault.ts';
import { orderIn } from './document-order.ts';
import { readMaterial, readTextFile } from './material.io.ts';
import { type Config, configSchema, type Material } from './schema.ts';
import { schemaFaults, withoutUnknownKeys } from './schema-faults.ts';
import { semanticFaults } from './semantics.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

export { type LocatedFault, renderFault } from './located-fault.ts';

const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

export type LoadResult =
  | {
      readonly ok: true;
      /** As it was written. */
      readonly document: Json;
      readonly config: Config;
      readonly material: Material;
      readonly warnings: LocatedFault[];
    }
  /** Errors and warnings, in the order of the file. */
  | { readonly ok: false; readonly faults: LocatedFault[] };

/** Compiles its piece of the configuration and says what is wrong with it; never throws. */
export type ExtraCheck = (config: Config, material: Material) => readonly Fault[];

/**
 * Extra checks run once every name leads somewhere; of `material` they see what could be read. Never throws for
 * anything that a file can contain.
 */
export function loadConfig(file: string, extraChecks: readonly ExtraCheck[], nowMs: number = Date.now()): LoadResult {
  const read = readTextFile(file, MAX_CONFIG_BYTES);
  if (!read.ok) return refuse([{ ...fault([], `cannot read the configuration: ${read.why}`), line: 1, column: 1 }]);
  const document = parseYaml(read.text);
  if (!document.ok) return refuse(document.faults);
  return check(document, path.dirname(path.resolve(file)), { extraChecks, nowMs });
}

/** The same for a tree without a file: faults are in the tree's order, their line and column say nothing. */
export function checkDocument(tree: Json, extraChecks: readonly ExtraCheck[], nowMs: number = Date.now()): LoadResult {
  const unfit = treeFault(tree);
  if (unfit !== undefined) return refuse([{ ...unfit, line: 1, column: 1 }]);
  return check({ data: tree, positionOf: orderIn(tree) }, undefined, { extraChecks, nowMs });
}

type Checks = { readonly extraChecks: readonly ExtraCheck[]; readonly nowMs: number };

function check(document: YamlDocument, baseDir: string | undefined, { extraChecks, nowMs }: Checks): LoadResult {
  const { config, faults } = parse(document.data);
  if (config === undefined) return refuse(locate(faults, document));
  const meaning = semanticFaults(config);
  const namesAreGood = !meaning.some(isError);
  faults.push(...meaning);
  const unplaced = baseDir === undefined ? relativePathFaults(document.data as Json) : [];
  const { material, faults: materialFaults } = readMaterial(config, baseDir, nowMs);
  faults.push(...unplaced, ...materialFaults);
  if (namesAreGood) for (const extra of extraChecks) faults.push(...newFaults(faults, extra(config, material)));
  const located = inOrder(locate(faults, document));
  if (faults.some(isError)) return { ok: false, faults: located };
  return { ok: true, document: document.data as Json, config, material, warnings: located };
}

/** A key that nobody knows does not hide what else is wrong: the rest is looked at as if it were not there. */
function parse(data: unknown): { readonly config: Config | undefined; readonly faults: Fault[] } {
  const parsed = configSchema.safeParse(data);
  if (parsed.success) return { config: parsed.data, faults: [] };
  const { issues } = parsed.error;
  const [meant, without] = (['meant', 'nothing'] as const).map((as) =>
    configSchema.safeParse(withoutUnknownKeys(issues, data, as)),
  );
  return { config: meant?.data ?? without?.data, faults: schemaFaults(issues, data) };
}

const isError = ({ severity }: Fault): boolean => severity === 'error';

const refuse = (faults: readonly LocatedFault[]): LoadResult => ({ ok: false, faults: inOrder(faults) });

const locate = (faults: readonly Fault[], { positionOf }: YamlDocument): LocatedFault[] =>
  faults.map((found) => ({ ...found, ...positionOf(found.path) }));

/** Two checks may see the same error; a person needs it once. */
function newFaults(known: readonly Fault[], found: readonly Fault[]): Fault[] {
  const keyOf = (candidate: Fault): string => JSON.stringify([candidate.severity, candidate.path]);
  const said = new Set(known.filter(isError).map(keyOf));
  return found.filter((candidate) => !said.has(keyOf(candidate)));
}
