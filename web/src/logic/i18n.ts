/** The page's own texts. Titles and labels of panels come from their definitions. */
import { EN, type Texts } from './texts-en';
import { ZH } from './texts-zh';
import type { Lang } from '../types';

export type { Texts };

export const TEXTS: Record<Lang, Texts> = { en: EN, zh: ZH };

/** Fills the places of a text: fill('{n} open', {n: 3}). */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}
