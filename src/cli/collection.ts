/**
 * How an object of the configuration is handled by its command, as data: where it lives, how it is listed, what is asked.
 * `config-command.io.ts` makes the dialogue and the arguments for scripts of it. Pure.
 */
import type { Json, Mapping } from '../config/document.ts';
import type { Editor, MenuOperation } from './editor.io.ts';
import type { Field } from './form.ts';
import type { Option } from './question.ts';

export type Collection = {
  /** The word in front of an operation where a command has several: `ldapconfig query new NAME`. */
  readonly kind: string;
  /** ['ldap', 'servers'] */
  readonly section: readonly string[];
  readonly noun: string;
  /** Objects of several types: which one is asked first, and is their key `type`. */
  readonly types?: { readonly ask: string; readonly options: readonly Option<string>[] };
  readonly askName: string;
  /** What a new one begins with, beside the answers. */
  readonly begin?: Mapping;
  readonly fields: (object: Mapping, document: Mapping, name: string) => readonly Field[];
  /** Behind the number and the name in the list. */
  readonly row: (object: Json, document: Mapping) => string;
  /** `NAME show OBJECT` in words, in place of the object as it is written. */
  readonly summary?: (name: string, document: Mapping) => string;
  /** Where a new one needs more than its form. */
  readonly create?: (editor: Editor) => Promise<void>;
  /** Where an object is changed by questions of its own instead of one form. */
  readonly modify?: (editor: Editor, name: string) => Promise<void>;
  /** Where an object has a menu of its own instead of one form. */
  readonly edit?: (editor: Editor, name: string) => Menu;
};

export type Menu = {
  readonly heading: () => Promise<string>;
  readonly operations: () => Promise<readonly MenuOperation[]>;
};

/** Settings that are there once: the operation SETUP. */
export type Settings = {
  readonly name: string;
  readonly does: string;
  readonly section: readonly string[];
  readonly fields: (object: Mapping, document: Mapping) => readonly Field[];
  /** Questions of its own in place of a form of the fields. */
  readonly ask?: (editor: Editor) => Promise<void>;
};

export type ExtraOperation = {
  readonly name: string;
  readonly does: string;
  readonly looks?: true;
  readonly run: (editor: Editor) => Promise<void>;
};

/** An operation for scripts alone: `listenerconfig hostaccess LISTENER …`. */
export type Script = {
  /** One line each, behind the command and the operation. */
  readonly usage: readonly string[];
  readonly options: readonly string[];
  readonly run: (editor: Editor, words: readonly string[]) => Promise<number>;
};

export type ConfigCommand = {
  readonly name: string;
  /** Above the menu, in place of the first collection's list. */
  readonly heading?: (document: Mapping) => string;
  /** The first one needs no word in front of its operations. */
  readonly collections: readonly Collection[];
  readonly settings?: readonly Settings[];
  readonly extras?: readonly ExtraOperation[];
  readonly scripts?: Readonly<Record<string, Script>>;
};

/** `a listener`, `an entry`, `an LDAP query`. */
export const withArticle = (noun: string): string => `${/^([aeiou]|LDAP|SMTP)/i.test(noun) ? 'an' : 'a'} ${noun}`;
