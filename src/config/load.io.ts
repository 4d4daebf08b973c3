/**
 * From a file to a configuration that is right, or to its faults with line and column: YAML, shape, meaning, the files
 * it names, and the checks that other parts bring. `check`, `run` and SIGHUP come through here.
 * Effects: reads files and, unless it is handed in, the clock.
 */
import path from 'node:path';
import { type Fault, fault } from '../core/fault.ts';
import { inOrder, type LocatedFault } from './located-fault.ts';
import { readMaterial, readTextFile } from './material.io.ts';
import { type Config, configSchema, type Material } from './schema.ts';
import { schemaFaults } from './schema-faults.ts';
import { semanticFaults } from './semantics.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

export { type LocatedFault, renderFault } from './located-fault.ts';

const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly material: Material; readonly warnings: LocatedFault[] }
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
  const parsed = configSchema.safeParse(document.data);
  if (!parsed.success) return refuse(locate(schemaFaults(parsed.error.issues, document.data), document));
  const config = parsed.data;
  const faults = semanticFaults(config);
  const namesAreGood = !faults.some(isError);
  const { material, faults: materialFaults } = readMaterial(config, path.dirname(path.resolve(file)), nowMs);
  faults.push(...materialFaults);
  if (namesAreGood) for (const check of extraChecks) faults.push(...newFaults(faults, check(config, material)));
  const located = inOrder(locate(faults, document));
  return faults.some(isError) ? { ok: false, faults: located } : { ok: true, config, material, warnings: located };
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
