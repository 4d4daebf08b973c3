/** A fault with its place in the configuration file, and the one line that a person reads. Pure. */
import { type Fault, renderFaultPath } from '../core/fault.ts';
import { printable } from '../core/reply.ts';

/** Line and column count from 1. */
export type Position = { readonly line: number; readonly column: number };
export type LocatedFault = Fault & Position;

const MAX_MESSAGE_CHARS = 1500;

/** `FILE:LINE:COLUMN: path.to.key: what is wrong and what is allowed`; a fault of the whole file has the path `(file)`. */
export function renderFault(file: string, fault: LocatedFault): string {
  const { path, severity, line, column } = fault;
  const label = severity === 'warning' ? 'warning: ' : '';
  const where = path.length === 0 ? '(file)' : renderFaultPath(path);
  return printable(`${file}:${line}:${column}: ${label}${where}: ${messageOf(fault)}`);
}

/** `path.to.key: what is wrong and what is allowed`, where there is no file. */
export function renderPlainFault(fault: Fault): string {
  const label = fault.severity === 'warning' ? 'warning: ' : '';
  const where = fault.path.length === 0 ? '(configuration)' : renderFaultPath(fault.path);
  return printable(`${label}${where}: ${messageOf(fault)}`);
}

const messageOf = ({ message }: Fault): string =>
  message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}...` : message;

/** In the order of the file; on one place errors come before warnings. */
export function inOrder(faults: readonly LocatedFault[]): LocatedFault[] {
  const rank = (fault: LocatedFault) => (fault.severity === 'error' ? 0 : 1);
  return faults.toSorted((a, b) => a.line - b.line || a.column - b.column || rank(a) - rank(b));
}
