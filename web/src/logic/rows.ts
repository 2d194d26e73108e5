/** What a panel's columns mean for its rows: bands, limits, colours, reasons of a missing number. */
import { instantOf } from './time';
import type { Answer, Cell, Colour, Column, Lang, Panel } from '../types';

/** A column that is shown, with those that say something about it. */
export interface Field {
  column: Column;
  index: number;
  low: number | null;
  high: number | null;
  limit: number | null;
  previous: number | null;
}

/** Not shown among the values: for a click, said of the panel as a whole, or in another language. */
const ASIDE = new Set(['hidden', 'counted', 'foreign']);
const ABOUT_THE_ONE_BEFORE = new Set(['low', 'high', 'limit', 'previous']);

/** Groups columns: bands, limits and former values belong to the value before them. */
export function fieldsOf(panel: Panel): Field[] {
  const fields: Field[] = [];
  panel.columns.forEach((column, index) => {
    const last = fields.at(-1);
    if (last && ABOUT_THE_ONE_BEFORE.has(column.role)) {
      last[column.role as 'low' | 'high' | 'limit' | 'previous'] = index;
    } else if (!ASIDE.has(column.role)) {
      fields.push({ column, index, low: null, high: null, limit: null, previous: null });
    }
  });
  return fields;
}

/** Returns a panel as readers of a language see it: texts of another language keep their place, but are not shown. */
export function readIn(panel: Panel, lang: Lang): Panel {
  const columns = panel.columns.map((column): Column =>
    column.language === '' || column.language === lang ? column : { ...column, role: 'foreign' },
  );
  return { ...panel, columns };
}

/** Returns when the oldest of an answer's rows was counted, epoch milliseconds; null where that is now. */
export function countedAt(panel: Panel, answer: Answer): number | null {
  const index = panel.columns.findIndex((column) => column.role === 'counted');
  const instants = answer.rows.flatMap((row) => {
    const value = index < 0 ? null : row[index];
    return typeof value === 'string' ? [instantOf(value)] : [];
  });
  return instants.length === 0 ? null : Math.min(...instants);
}

export function isNumber(column: Column): boolean {
  return !['text', 'state', 'time', 'day', 'series'].includes(column.unit);
}

export function indexOf(panel: Panel, name: string): number {
  return panel.columns.findIndex((column) => column.name === name);
}

/** Hardly above the limit is worth a look, too. */
const CLOSE = 1.1;

/** Returns a value's colour: by the limit it is held against, else by its column's steps. */
export function colourOf(field: Field, row: Cell[]): Colour | null {
  const value = row[field.index];
  if (typeof value !== 'number') return null;
  const limit = field.limit === null ? null : row[field.limit];
  if (typeof limit === 'number') return value < limit ? 'red' : value < limit * CLOSE ? 'amber' : 'green';
  let colour: Colour | null = null;
  for (const [from, step] of field.column.steps) if (from === null || value >= from) colour = step;
  return colour;
}

/** Returns what the ratios of a row are held against, whichever of them the limit stands behind; null = nothing. */
export function limitOf(panel: Panel, row: Cell[]): Cell {
  const index = panel.columns.findIndex((column) => column.role === 'limit' && column.unit === 'ratio');
  return index < 0 ? null : (row[index] ?? null);
}

/** Returns what is left out of a value because nobody can tell yet: how many, by the column that counts them. */
export function doubtsOf(panel: Panel, field: Field, row: Cell[]): [Column, number][] {
  return field.column.doubts.flatMap((name): [Column, number][] => {
    const index = indexOf(panel, name);
    const [column, count] = [panel.columns[index], row[index]];
    return column && typeof count === 'number' && count > 0 ? [[column, count]] : [];
  });
}

/** States in which a ratio says nothing yet: too much of the return is still to come, or the data are at fault. */
const UNJUDGED = new Set<Cell>(['immature', 'blocked']);

/** Returns whether anything is said of a campaign whose alert is in this state. */
export function isJudged(state: string): boolean {
  return !UNJUDGED.has(state);
}

/** Returns whether a row's ratios are not to be judged by their limits, as the state in the same row says. */
export function isUnjudged(panel: Panel, row: Cell[]): boolean {
  return panel.columns.some((column, index) => column.unit === 'state' && UNJUDGED.has(row[index] ?? null));
}

export type Reason =
  | 'noCost'
  | 'noConverter'
  | 'noReach'
  | 'immature'
  | 'unjudged'
  | 'noRisk'
  | 'noAlert'
  | 'noPlan'
  | 'noBefore'
  | 'noData';

const REASONS: [RegExp, Reason][] = [
  [/^(return_ratio|net_roi|incremental_roi)/, 'noCost'],
  [/^cpa_minor/, 'noConverter'],
  [/^conversion_rate/, 'noReach'],
  [/^(forecast|upper_bound|matured)/, 'immature'],
  [/^money_at_risk/, 'noRisk'],
  [/^(alert|standing)/, 'noAlert'],
  [/^(budget|spent_share|remaining|elapsed_share|pace|projected)/, 'noPlan'],
];

/** Returns why there is no number: a metric's denominator is zero, or too much of it is still to come. */
export function reasonOf(column: Column, panel?: Panel, row?: Cell[]): Reason {
  if (column.name.startsWith('money_at_risk') && panel && row && isWaiting(column, panel, row)) return 'unjudged';
  if (column.role === 'previous') return 'noBefore';
  return REASONS.find(([pattern]) => pattern.test(column.name))?.[1] ?? 'noData';
}

/** Returns whether a campaign of the row is not judged yet: the one that it is about, or one of those that it adds up. */
function isWaiting(column: Column, panel: Panel, row: Cell[]): boolean {
  return isUnjudged(panel, row) || column.doubts.some((name) => Number(row[indexOf(panel, name)] ?? 0) > 0);
}

/** Returns rows in the order of a column: nulls last, either way. */
export function sorted(rows: Cell[][], column: number, descending: boolean, locale: string): Cell[][] {
  const collator = new Intl.Collator(locale, { numeric: true });
  const sign = descending ? -1 : 1;
  return [...rows].sort((one, other) => {
    const a = one[column] ?? null;
    const b = other[column] ?? null;
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * collator.compare(String(a), String(b));
  });
}

/** Returns what a click on a row brings along; null where it leads nowhere. */
export function broughtBy(panel: Panel, row: Cell[]): Record<string, string> | null {
  if (!panel.drill) return null;
  const brought: Record<string, string> = {};
  for (const [variable, column] of Object.entries(panel.drill.takes)) {
    const value = row[indexOf(panel, column)];
    if (value === null || value === undefined || value === '') return null;
    brought[variable] = String(value);
  }
  return brought;
}

/** Returns the campaign whose evidence a row's numbers have; '' where there is none. */
export function explainedBy(panel: Panel, row: Cell[]): string {
  if (panel.explains === '') return '';
  const value = row[indexOf(panel, panel.explains)];
  return typeof value === 'string' ? value : '';
}

export function isEmpty(answer: Answer): boolean {
  return answer.rows.every((row) => row.every((cell) => cell === null));
}
