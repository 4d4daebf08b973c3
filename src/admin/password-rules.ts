/**
 * What a new password of an administrator must be: long, not the account's name, not one character again and again.
 * No rules about kinds of characters: length is what counts (NIST SP 800-63B §3.1.1). Pure.
 */
const MIN_CHARACTERS = 12;
const MAX_CHARACTERS = 1024;
const MIN_DIFFERENT = 5;

/** Why the password is not taken, as a sentence; undefined where it is good. Never repeats the password. */
export function passwordFault(password: string, account: string): string | undefined {
  const characters = [...password.normalize('NFC')];
  if (characters.length < MIN_CHARACTERS) return `a password has at least ${MIN_CHARACTERS} characters`;
  if (characters.length > MAX_CHARACTERS) return `a password has at most ${MAX_CHARACTERS} characters`;
  if (new Set(characters).size < MIN_DIFFERENT) return `a password has at least ${MIN_DIFFERENT} different characters`;
  const plain = password.toLowerCase();
  if (account.length >= 4 && plain.includes(account.toLowerCase()))
    return 'a password must not contain the name of the account';
  return undefined;
}
