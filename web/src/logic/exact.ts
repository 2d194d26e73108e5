/** JSON whose integers may be beyond what a double holds: their digits are kept beside the numbers they are taken for. */
import type { Cell } from '../types';

const LONG = /[[,:]\s*-?\d{16,}\s*[,\]}]/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

const kept = new WeakMap<object, Map<string, bigint>>();

/** Parses JSON; `exactOf` has all digits of its integers. */
export function readJson(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  let mark = 'exact:';
  while (text.includes(mark)) mark = `x${mark}`;
  const marked = text.replace(TOKEN, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, function (this: object, key: string, value: unknown) {
    if (typeof value !== 'string' || !value.startsWith(mark)) return value;
    const exact = BigInt(value.slice(mark.length));
    kept.set(this, (kept.get(this) ?? new Map<string, bigint>()).set(key, exact));
    return Number(exact);
  });
}

/** Returns what stands at a place of something that was read, with all its digits. */
export function exactOf(holder: Cell[] | Record<string, Cell>, key: number | string): Cell | bigint {
  return kept.get(holder)?.get(String(key)) ?? (holder as Record<string, Cell>)[key] ?? null;
}
