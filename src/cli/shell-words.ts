/** A line of the shell as words: blanks separate, quotes keep them, a backslash takes the next character as it is. Pure. */
export function shellWords(line: string): readonly string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string;
    if (character === '\\' && quote !== "'") {
      const next = line[++i];
      if (next === undefined) return 'the line ends with a backslash';
      word = (word ?? '') + next;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') return `the quote ${quote} is not closed`;
  if (word !== undefined) words.push(word);
  return words;
}
