/**
 * What both modes of the store answer in the same way once a tree is found: documents, differences, exports, always
 * masked unless an export says otherwise. Pure, through its ports.
 */
import { changesBetween } from './change-view.ts';
import type { ConfigurationPorts } from './configuration-ports.ts';
import type { Answer, Change, ExportOptions, Json, Path, Which } from './configuration-store.ts';
import { valueAt } from './document.ts';
import { maskSecrets } from './document-secrets.ts';
import { exportHeading } from './export-heading.ts';
import { refuseImpossible, refuseMissing } from './refusals.ts';

const MIN_PASSPHRASE_CHARS = 8;

/** `version` where it is a candidate. Secrets are in the tree as the mode keeps them. */
export type Tree = { readonly revision: number; readonly version?: number; readonly tree: Json };

export type ReaderParts = {
  readonly find: (which: Which) => Promise<Answer<Tree>>;
  /** The tree with its secrets in the clear. */
  readonly open: (tree: Json) => Json;
  readonly ports: Pick<ConfigurationPorts, 'now' | 'texts'>;
};

export class ConfigurationReader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  async document(which: Which, path: Path): Promise<Answer<{ revision: number; version?: number; value: Json }>> {
    const found = await this.#parts.find(which);
    if (!found.ok) return found;
    const { tree, ...rest } = found;
    const value = valueAt(tree, path);
    if (value === undefined) return refuseMissing('there is nothing at this path', path);
    return { ...rest, value: maskSecrets(value, path) };
  }

  async diff(from: Which, to: Which, find = this.#parts.find): Promise<Answer<{ changes: readonly Change[] }>> {
    const before = await find(from);
    if (!before.ok) return before;
    const after = await find(to);
    return after.ok ? { ok: true, changes: changesBetween(before.tree, after.tree) } : after;
  }

  async export({ which, secrets, passphrase }: ExportOptions): Promise<Answer<{ text: string }>> {
    const found = await this.#parts.find(which);
    if (!found.ok) return found;
    if (secrets === 'sealed' && (passphrase ?? '').length < MIN_PASSPHRASE_CHARS)
      return refuseImpossible(`a passphrase has at least ${MIN_PASSPHRASE_CHARS} characters`);
    const { ports, open } = this.#parts;
    const text = await ports.texts.write({
      document: secrets === 'masked' ? maskSecrets(found.tree) : open(found.tree),
      heading: exportHeading(found.revision, found.version !== undefined, { secrets, nowMs: ports.now() }),
      ...(secrets === 'sealed' && passphrase !== undefined ? { passphrase } : {}),
    });
    return { ok: true, text };
  }
}
