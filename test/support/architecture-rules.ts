/**
 * The rules of ARCHITECTURE.md as a function from source texts to violations: who may import whom, what a pure file may
 * not touch, where each dependency lives, how long a file may be. Kept apart from the test so that the test can show
 * every rule a planted violation. Pure.
 */
import { posix } from 'node:path';

const LAYERS = ['core', 'config', 'smtp', 'ldap', 'log'];
/** In the mail's order: a stage knows types of earlier stages and nothing of later ones. */
export const STAGES = ['accept', 'policy', 'tls', 'identity', 'envelope', 'content', 'queue', 'delivery', 'alerts'];
const FOLDERS = [...LAYERS, ...STAGES, 'pipeline', 'admin', 'explain', 'control', 'cli', 'root'];
/** Stages whose code the command line may call: it makes and reads certificates. */
const STAGES_OF_CLI = ['tls', 'identity'];
/** They do nothing but build effects and start: `.io.ts` would say nothing of them. */
const COMPOSITION_ROOTS = ['src/main.ts', 'src/gateway.ts'];
const MAX_LINES = 400;

/** Dependencies whose folders are fixed; every other one may be imported in one folder of its choice. */
const DEPENDENCY_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  // The API's route table is a schema as the configuration is.
  zod: ['config', 'admin'],
  yaml: ['config'],
  ldapts: ['ldap'],
  // One database for mail, one for the committed configuration, one for accounts, one for client history.
  'node:sqlite': ['queue', 'config', 'admin', 'log'],
};

const STATIC_IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\bfrom\s+)?["']([^"']+)["']/gm;
/** import('…'), import.meta.resolve('…') and new URL('./x.ts', import.meta.url), which starts a thread. */
const DYNAMIC_IMPORT =
  /(?:\bimport(?:\.meta\.resolve)?\s*\(|\bnew URL\()\s*["']([^"']+\.ts|[a-z@][^"':]*|node:[a-z_/]+)["']/gm;
const EFFECT =
  /^(node:)?(fs|net|tls|dns|dgram|http|https|http2|sqlite|child_process|worker_threads|cluster|timers|process|os|readline|repl|inspector|perf_hooks)(\/.*)?$|^ldapts$/;
const IMPURE_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/, 'Date.now'],
  [/\bnew Date\(\s*\)/, 'new Date()'],
  [/\bMath\.random\b/, 'Math.random'],
  [/\bperformance\.now\b/, 'performance.now'],
  [/\bset(Timeout|Interval|Immediate)\s*\(/, 'a timer'],
  [/(?<![.\w])fetch\s*\(/, 'fetch'],
  [/\brandom(Bytes|UUID|Int|FillSync|Fill)\b|\bgetRandomValues\b/, 'randomness'],
  [/\bprocess\.(?!versions\b)\w+/, 'process'],
];

export type SourceFile = { readonly path: string; readonly text: string };
type Import = { readonly spec: string; readonly typeOnly: boolean };

/** `src/tls/crl.ts` → tls; files directly in src are the root. */
export function folderOf(path: string): string {
  const steps = path.split('/');
  return steps.length > 2 ? (steps[1] ?? '') : 'root';
}

const mayDoEffects = (path: string): boolean => path.endsWith('.io.ts') || COMPOSITION_ROOTS.includes(path);

export function importsOf(text: string): Import[] {
  const fixed = [...text.matchAll(STATIC_IMPORT)].map((match) => ({
    spec: match[2] ?? '',
    typeOnly: match[1] !== undefined,
  }));
  const dynamic = [...text.matchAll(DYNAMIC_IMPORT)].map((match) => ({ spec: match[1] ?? '', typeOnly: false }));
  return [...fixed, ...dynamic];
}

function mayImport(from: string, to: string, typeOnly: boolean): boolean {
  if (from === to || from === 'root' || to === 'core') return true;
  if (from === 'core' || from === 'config') return false;
  if (LAYERS.includes(from)) return (to === 'config' || to === 'log') && typeOnly;
  if (STAGES.includes(from))
    return LAYERS.includes(to) || (typeOnly && STAGES.indexOf(to) >= 0 && STAGES.indexOf(to) < STAGES.indexOf(from));
  if (from === 'pipeline') return LAYERS.includes(to) || STAGES.includes(to);
  if (from === 'admin') return LAYERS.includes(to) || (typeOnly && STAGES.includes(to));
  if (from === 'explain' || from === 'control')
    return LAYERS.includes(to) || STAGES.includes(to) || to === 'pipeline' || (typeOnly && to === 'admin');
  // A command starts the gateway (root), asks the running one (admin), or explains without one.
  if (from !== 'cli') return false;
  if (STAGES.includes(to)) return typeOnly || STAGES_OF_CLI.includes(to);
  return LAYERS.includes(to) || ['root', 'admin', 'explain', 'control'].includes(to);
}

function importViolations({ path, text }: SourceFile): string[] {
  const found: string[] = [];
  for (const { spec, typeOnly } of importsOf(text)) {
    if (!spec.startsWith('.')) {
      if (!typeOnly && !mayDoEffects(path) && EFFECT.test(spec)) found.push(`${path}: a pure file imports ${spec}`);
      if (!typeOnly && spec === 'node:http') found.push(`${path}: node:http comes from core/node-http.io.ts`);
      continue;
    }
    const target = posix.normalize(posix.join(posix.dirname(path), spec));
    if (!mayImport(folderOf(path), folderOf(target), typeOnly)) {
      found.push(`${path}: ${folderOf(path)} may not import ${typeOnly ? 'the types' : 'values'} of ${target}`);
    }
    if (!typeOnly && !mayDoEffects(path) && target.endsWith('.io.ts'))
      found.push(`${path}: a pure file imports effects: ${target}`);
  }
  return found;
}

/** Comments and the text of strings say nothing about what the code does. */
const codeOf = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/gm, (part) =>
    /^['"]/.test(part) ? "''" : ' ',
  );

function fileViolations(file: SourceFile): string[] {
  const { path, text } = file;
  const found = importViolations(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (!FOLDERS.includes(folderOf(path))) found.push(`${path}: the folder is not one of the architecture`);
  if (lines > MAX_LINES) found.push(`${path}: ${lines} lines, more than ${MAX_LINES}`);
  if (!text.startsWith('/**') && !text.startsWith('#!'))
    found.push(`${path}: does not open with a comment that says what it does`);
  if (/^export default\b/m.test(text)) found.push(`${path}: default export`);
  if (/(^|\/)(index|utils?|helpers?|manager|common|misc)(\.io)?\.ts$/.test(path))
    found.push(`${path}: the name says nothing`);
  if (!mayDoEffects(path)) {
    const code = codeOf(text);
    for (const [pattern, what] of IMPURE_TEXT) if (pattern.test(code)) found.push(`${path}: a pure file uses ${what}`);
  }
  return found;
}

/** `@peculiar/x509/sub` → `@peculiar/x509`; Node's own modules are no dependencies, except the ones in the table. */
function dependencyOf(spec: string): string | undefined {
  if (spec.startsWith('.')) return undefined;
  if (spec.startsWith('node:')) return spec in DEPENDENCY_FOLDERS ? spec : undefined;
  return spec
    .split('/')
    .slice(0, spec.startsWith('@') ? 2 : 1)
    .join('/');
}

function dependencyViolations(files: readonly SourceFile[]): string[] {
  const folders = new Map<string, Set<string>>();
  for (const { path, text } of files) {
    for (const { spec } of importsOf(text)) {
      const dependency = dependencyOf(spec);
      if (dependency !== undefined) folders.set(dependency, (folders.get(dependency) ?? new Set()).add(folderOf(path)));
    }
  }
  return [...folders].flatMap(([dependency, places]) => {
    const homes = DEPENDENCY_FOLDERS[dependency];
    if (homes !== undefined) {
      const strangers = [...places].filter((place) => !homes.includes(place));
      return strangers.map((place) => `${dependency} belongs to ${homes.join(', ')} and is imported in ${place}`);
    }
    return places.size > 1
      ? [`${dependency} is imported in more than one folder: ${[...places].sort().join(', ')}`]
      : [];
  });
}

const EXPORTED_VALUE = /^export (?:async )?(?:function\*?|const|class) (\w+)/gm;

/**
 * Functions, constants and classes that a file of `src/` exports and no other file takes. Types may be exported for whoever
 * wants to name them. `others`: tests, benches and scripts, which take things too.
 */
export function unusedExports(files: readonly SourceFile[], others: readonly SourceFile[]): string[] {
  const takers = [...files, ...others].map(({ path, text }) => ({
    path,
    words: new Set(text.match(/\w+/g)),
    from: new Set(
      importsOf(text).map(({ spec }) => (spec.startsWith('.') ? posix.join(posix.dirname(path), spec) : spec)),
    ),
  }));
  return files.flatMap(({ path, text }) => {
    const near = takers.filter(({ from }) => from.has(path));
    const names = [...text.matchAll(EXPORTED_VALUE)].flatMap(([, name]) => name ?? []);
    const unused = names.filter((name) => !near.some(({ words }) => words.has(name)));
    return unused.map((name) => `${path}: nobody imports ${name}`);
  });
}

/** Everything that breaks a rule, one sentence each. Paths are relative to the project: `src/tls/crl.ts`. */
export function violations(files: readonly SourceFile[]): string[] {
  const code = files.filter(({ path }) => !path.endsWith('.test.ts'));
  return [...code.flatMap(fileViolations), ...dependencyViolations(code)];
}
