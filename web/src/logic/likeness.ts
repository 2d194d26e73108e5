/** Which of the known values somebody may have meant. */

const MOST_EDITS = 2;

/** Returns the values most like a word: one contains the other, or a few letters differ; at most three. */
export function alike<T extends { value: string; text: string }>(word: string, known: T[]): T[] {
  const wanted = word.toLowerCase();
  const ranked = known.flatMap((one) => {
    const distances = [one.value, one.text].map((name) => distance(wanted, name.toLowerCase()));
    const nearest = Math.min(...distances);
    return nearest <= MOST_EDITS ? [{ one, nearest }] : [];
  });
  ranked.sort((a, b) => a.nearest - b.nearest);
  return ranked.slice(0, 3).map(({ one }) => one);
}

function distance(wanted: string, name: string): number {
  if (name === wanted) return 0;
  const [short, long] = name.length < wanted.length ? [name, wanted] : [wanted, name];
  if (short.length > 2 && long.startsWith(short)) return 1;
  return long.length - short.length > MOST_EDITS ? Infinity : edits(short, long);
}

/** Levenshtein's distance, one row at a time. */
function edits(short: string, long: string): number {
  let before = Array.from({ length: short.length + 1 }, (_, index) => index);
  for (let at = 1; at <= long.length; at++) {
    const row = [at];
    for (let index = 1; index <= short.length; index++) {
      const changed = (before[index - 1] ?? 0) + (long[at - 1] === short[index - 1] ? 0 : 1);
      row.push(Math.min(changed, (before[index] ?? 0) + 1, (row[index - 1] ?? 0) + 1));
    }
    before = row;
  }
  return before[short.length] ?? Infinity;
}
