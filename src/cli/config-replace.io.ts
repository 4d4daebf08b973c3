/**
 * `sallyport config load FILE` where a file is the truth: what was loaded takes that file's place as it is written, remarks
 * and all, once it was checked there; the running gateway reads it, and if it cannot, the old file comes back. The former
 * file stays beside it as `.previous`. Effects: files, the running gateway.
 */
import fs from 'node:fs';
import path from 'node:path';
import { changesBetween } from '../config/change-view.ts';
import type { Answer, Checked } from '../config/configuration-store.ts';
import { type Json, isSame } from '../config/document.ts';
import { keepMasked } from '../config/document-secrets.ts';
import { writeDocument } from '../config/document-text.io.ts';
import { refuseFaults, refuseImpossible } from '../config/refusals.ts';
import { loadRevision } from '../control/revision.io.ts';
import type { Access } from './config-access.io.ts';
import { type LoadRequest, readConfigurationText } from './config-load.io.ts';

export async function replaceFile(
  { store, status, offline }: Access,
  request: LoadRequest,
  commit: boolean,
): Promise<Answer<Checked>> {
  const target = status.file ?? '';
  if (request.inline || request.at.length > 0 || request.base !== undefined)
    return refuseImpossible('--inline, --at and --base are for the configuration store');
  const next = await readConfigurationText(request.file, request.passphrase);
  if (!next.ok) return next;
  const former = await readConfigurationText(target, request.passphrase);
  const known = former.ok ? former.document : {};
  const document = keepMasked(next.document, known);
  const rewritten = next.hadSealedSecrets || !isSame(document, next.document);
  const text = rewritten ? await writeDocument({ document, heading: [HEADING] }) : next.text;
  const draft = `${target}.new`;
  try {
    writeDurably(draft, text, target);
    const checked = await loadRevision({ file: draft, dataDir: undefined, number: status.running.number + 1 });
    if (!checked.ok) return refuseFaults(checked.found, 'nothing was loaded');
    if (commit) {
      const refused = await exchange(target, draft, offline ? undefined : store);
      if (refused !== undefined) return refused;
    }
    return { ok: true, warnings: checked.found, changes: changesBetween(known, document as Json) };
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

const HEADING = 'Sallyport configuration, written by sallyport config load.';

async function exchange(target: string, draft: string, gateway: Access['store'] | undefined) {
  const previous = `${target}.previous`;
  fs.rmSync(previous, { force: true });
  fs.linkSync(target, previous);
  fs.renameSync(draft, target);
  syncFolder(target);
  const answer = await gateway?.reload();
  if (answer === undefined || answer.ok) return undefined;
  // The running revision is the former file's: the file must say so, too.
  fs.renameSync(previous, target);
  syncFolder(target);
  return answer;
}

/** With the owner and the mode of the file whose place it is to take. */
function writeDurably(file: string, text: string, like: string): void {
  const { mode, uid, gid } = fs.statSync(like);
  const handle = fs.openSync(file, 'w', 0o600);
  try {
    fs.writeFileSync(handle, text);
    if (process.getuid?.() === 0) fs.fchownSync(handle, uid, gid);
    fs.fchmodSync(handle, mode & 0o777);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

function syncFolder(file: string): void {
  const folder = fs.openSync(path.dirname(file), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
