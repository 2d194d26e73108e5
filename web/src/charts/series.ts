/** Rows of an answer as series: one for each value column and each set of labels. */
import { fieldsOf, type Field } from '../logic/rows';
import type { Cell, Column, Panel } from '../types';

export interface Point {
  x: Cell;
  row: Cell[];
  index: number;
}

export interface Series {
  key: string;
  name: string;
  field: Field;
  points: Point[];
}

export interface Cut {
  x: { column: Column; index: number } | null;
  series: Series[];
}

/**
 * Cuts rows into series.
 *
 * @param label - writes a label's value, with its column.
 * @param along - the roles of which the first that a column has makes the x axis; the other labels tell series apart.
 */
export function cut(
  panel: Panel,
  rows: Cell[][],
  along: string[],
  lang: 'en' | 'zh',
  label: (value: Cell, column: Column) => string,
): Cut {
  const fields = fieldsOf(panel);
  const place = along
    .map((role) => (role === 'label' ? tellingLabel(panel, rows) : panel.columns.findIndex((one) => one.role === role)))
    .find((index) => index >= 0);
  const axis = place === undefined ? undefined : panel.columns[place];
  const labels = telling(
    fields.filter((field) => field.column.role === 'label' && field.index !== place),
    rows,
  );
  const values = fields.filter((field) => field.column.role === 'value' && field.column.unit !== 'series');
  const found = new Map<string, Series>();
  rows.forEach((row, index) => {
    const names = labels.map((field) => label(row[field.index] ?? null, field.column));
    for (const field of values) {
      const key = [...names, field.column.name].join('\u001f');
      const own = values.length > 1 || names.length === 0 ? [field.column.labels[lang]] : [];
      const series = found.get(key) ?? { key, name: [...names, ...own].join(' · '), field, points: [] };
      series.points.push({ x: place === undefined ? null : (row[place] ?? null), row, index });
      found.set(key, series);
    }
  });
  return { x: axis && place !== undefined ? { column: axis, index: place } : null, series: [...found.values()] };
}

/** Returns the place of the label along which rows are shown: the first that tells them apart, else the last; -1: none. */
export function tellingLabel(panel: Panel, rows: Cell[][]): number {
  const labels = fieldsOf(panel).filter((field) => field.column.role === 'label');
  return (telling(labels, rows)[0] ?? labels.at(-1))?.index ?? -1;
}

/** Returns points with a gap put in wherever one of the steps between them is missing: nothing is known there. */
export function withGaps(points: Point[], place: (value: Cell) => number, step: number): Point[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    if (!before || place(point.x) - place(before.x) <= 1.5 * step) return [point];
    return [{ x: place(before.x) + step, row: [], index: -1 }, point];
  });
}

/** Returns the smallest distance between any two neighbouring points; Infinity where there is none. */
export function stepOf(series: Series[], place: (value: Cell) => number): number {
  const all = [...new Set(series.flatMap((one) => one.points.map((point) => place(point.x))))].sort((a, b) => a - b);
  return all.reduce((least, at, index) => Math.min(least, at - (all[index - 1] ?? -Infinity)), Infinity);
}

/** Returns the labels that tell rows apart: one name for all of them is said by the board already. */
export function telling(labels: Field[], rows: Cell[][]): Field[] {
  return labels.filter((field) => new Set(rows.map((row) => row[field.index])).size > 1);
}

export function numberAt(row: Cell[], index: number | null): number | null {
  const value = index === null ? null : row[index];
  return typeof value === 'number' ? value : null;
}
