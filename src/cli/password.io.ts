/**
 * A password from the person at the terminal, without echo, or the first line of standard input where that is no
 * terminal; never an argument, because others can see those. Effects: standard input and error.
 */
const MAX_PASSWORD_CHARACTERS = 4096;

/** Resolves with '' at the end of input; Ctrl-C ends the process as it would anywhere. */
export function readPassword(prompt = 'Password'): Promise<string> {
  const { stdin, stderr } = process;
  const terminal = stdin.isTTY;
  if (terminal) {
    stderr.write(`${prompt}: `);
    stdin.setRawMode(true);
  }
  return new Promise((resolve) => {
    let typed = '';
    const finish = (): void => {
      if (terminal) {
        stdin.setRawMode(false);
        stderr.write('\n');
      }
      stdin.pause();
      stdin.off('data', onData);
      stdin.off('end', finish);
      resolve(typed);
    };
    const onData = (chunk: string): void => {
      for (const character of chunk) {
        if (terminal && character === '\u0003') {
          stdin.setRawMode(false);
          process.exit(130);
        }
        if (character === '\n' || character === '\r' || (terminal && character === '\u0004')) {
          finish();
          return;
        }
        if (terminal && (character === '\u007f' || character === '\b')) typed = [...typed].slice(0, -1).join('');
        else if (typed.length < MAX_PASSWORD_CHARACTERS) typed += character;
      }
    };
    stdin.setEncoding('utf8').on('data', onData).on('end', finish);
    stdin.resume();
  });
}
