/**
 * Completion for bash and zsh, written from the command registry: commands, their operations, their options; values of --data,
 * --config and of files are the shell's to complete. Pure.
 */
import { type Command, operationsOf, optionsOf } from './command.ts';

/** What may follow a command. */
export type Words = {
  readonly name: string;
  readonly does: string;
  readonly operations: readonly string[];
  readonly options: readonly string[];
};

export const wordsOf = (name: string, command: Command, keys: readonly string[] = []): Words => ({
  name,
  does: command.does,
  operations: operationsOf(command),
  options: [...new Set([...optionsOf(command), ...keys, '--help'])].toSorted(),
});

const FILES = '--data|--config|--key-file|--out|--certificate|--passphrase-file|--ldif|--ca';

/** Nothing in it is a value of the configuration: it need not be made anew when that changes. */
export function bashCompletion(commands: readonly Words[]): string {
  const rows = commands.map(
    ({ name, operations, options }) =>
      `    ${name}) operations='${operations.join(' ')}' options='${options.join(' ')}' ;;`,
  );
  return `# bash completion for sallyport, written by: sallyport completion bash
_sallyport() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} operations= options=
  COMPREPLY=()
  case $previous in
    ${FILES}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} help' -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${rows.join('\n')}
    help) operations='${commands.map(({ name }) => name).join(' ')}' ;;
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *)
      [ "$COMP_CWORD" -ne 2 ] || COMPREPLY=($(compgen -W "$operations" -- "$word"))
      [ "\${#COMPREPLY[@]}" -ne 0 ] || COMPREPLY=($(compgen -f -- "$word"))
      ;;
  esac
}
complete -o filenames -F _sallyport sallyport
`;
}

export function zshCompletion(commands: readonly Words[]): string {
  const described = commands.map(({ name, does }) => `    '${name}:${quoted(does)}'`);
  const rows = commands.map(
    ({ name, operations, options }) =>
      `    ${name}) operations=(${operations.join(' ')}) options=(${options.join(' ')}) ;;`,
  );
  return `#compdef sallyport
# zsh completion for sallyport, written by: sallyport completion zsh
_sallyport() {
  local -a commands operations options
  commands=(
${described.join('\n')}
    'help:lists the commands'
  )
  case \${words[CURRENT-1]} in
    ${FILES}) _files; return ;;
  esac
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case \${words[2]} in
${rows.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    compadd -- $options
    return
  fi
  (( CURRENT == 3 )) && (( \${#operations} )) && compadd -- $operations
  _files
}
# Sourced in a running shell, or a file of fpath.
if [[ \${funcstack[1]} == _sallyport ]]; then _sallyport "$@"; else compdef _sallyport sallyport; fi
`;
}

const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(':', '\\:');
