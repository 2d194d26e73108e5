/** The page's own texts. Titles and labels of panels come from their definitions. */
import { EN, type Texts } from './texts-en';
import { ZH } from './texts-zh';
import type { Lang } from '../types';

export type { Texts };

export const TEXTS: Record<Lang, Texts> = { en: EN, zh: ZH };

// letters that are written from the right, and characters that turn what stands around them
const TURNS = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]/;
const ISOLATES = /[\u2066-\u2069]/g;

/** Sets a name apart that would turn the words around it. */
function apart(value: string): string {
  return TURNS.test(value) ? `\u2068${value.replace(ISOLATES, '')}\u2069` : value;
}

/** Fills the places of a text: fill('{n} open', {n: 3}). */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? apart(String(values[name])) : whole));
}
