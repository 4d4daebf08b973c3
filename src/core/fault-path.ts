/**
 * A path as a person types it, `listeners.submission.hat[0].policy` or `smtpRoutes[".example.com"][1]`: the inverse of
 * `renderFaultPath`. Pure.
 */
const STEP = /\.?([A-Za-z0-9_-]+)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** Undefined where the text is no path; the empty text is the path of the whole. */
export function parseFaultPath(text: string): (string | number)[] | undefined {
  const path: (string | number)[] = [];
  STEP.lastIndex = 0;
  for (let at = 0; at < text.length; at = STEP.lastIndex) {
    const dotted = text.startsWith('.', at);
    const [, plain, index, quoted] = STEP.exec(text) ?? [];
    // The first step has no dot before it, every later plain one does.
    if (plain !== undefined && dotted === at > 0) path.push(plain);
    else if (index !== undefined) path.push(Number(index));
    else {
      const key = quoted === undefined ? undefined : unquoted(quoted);
      if (key === undefined) return undefined;
      path.push(key);
    }
  }
  return path;
}

function unquoted(text: string): string | undefined {
  try {
    return String(JSON.parse(text));
  } catch {
    return undefined;
  }
}
