/**
 * Which failures of disk and database are "no space" (452 4.3.1), which are anything else (451 4.3.0), and after which
 * of them the rest of a batch may still be tried.
 * Pure.
 */
import { codeOf, GatewayError, whyOf } from '../core/errors.ts';

/** Primary result codes of SQLite; the extended code is in the upper bits. */
const SQLITE = { busy: 5, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

const resultOf = (error: unknown): number | undefined => {
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
};

export const isFull = (error: unknown): boolean =>
  resultOf(error) === SQLITE.full ||
  codeOf(error) === 'ENOSPC' ||
  codeOf(error) === 'EDQUOT' ||
  codeOf(error) === 'storage-full';

/** The disk or the file is broken: what else is in the batch would only break against it too. */
export const isBroken = (error: unknown): boolean => {
  const result = resultOf(error);
  return result === SQLITE.ioError || result === SQLITE.corrupt || result === SQLITE.notADatabase;
};

/** Any failure of storage as the one error class that callers know. `doing` says what failed, in words. */
export function storageFailure(error: unknown, doing: string): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError(isFull(error) ? 'storage-full' : 'storage', `${doing}: ${whyOf(error)}`, { cause: error });
}

/** Why the database does not open, in words for the person who starts the gateway. */
export function openFailure(error: unknown, file: string): GatewayError {
  if (error instanceof GatewayError) return error;
  const result = resultOf(error);
  if (result === SQLITE.busy) {
    return new GatewayError('storage', `${file} is in use: another gateway runs on this data folder`, { cause: error });
  }
  if (result === SQLITE.corrupt || result === SQLITE.notADatabase) return damaged(file, whyOf(error), error);
  return storageFailure(error, `cannot open ${file}`);
}

export const damaged = (file: string, how: string, cause?: unknown): GatewayError =>
  new GatewayError(
    'storage',
    `${file} is damaged (${how}): restore it from a copy, or move it away to start with an empty queue`,
    cause === undefined ? undefined : { cause },
  );
