/** Differences of two trees of the store as an administrator may see them: secrets masked. Pure. */
import type { Change, Json } from './configuration-store.ts';
import { type Difference, differences } from './document-diff.ts';
import { isSecret } from './document-places.ts';
import { maskSecrets } from './document-secrets.ts';

export const changesBetween = (before: Json, after: Json): Change[] => differences(before, after).map(changeOf);

function changeOf({ path, before, after }: Difference): Change {
  return {
    path,
    op: before === undefined ? 'add' : after === undefined ? 'remove' : 'change',
    ...(before === undefined ? {} : { before: maskSecrets(before, path) }),
    ...(after === undefined ? {} : { after: maskSecrets(after, path) }),
    ...(isSecret(path) ? { secret: true } : {}),
  };
}
