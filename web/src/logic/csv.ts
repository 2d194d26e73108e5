/** A table as a file: RFC 4180, all columns, numbers as the ledger has them. */
import { exactOf } from './exact';
import { instantOf, writtenIn } from './time';
import type { Cell, Unit } from '../types';

/** Spreadsheets take what begins so for a formula; the apostrophe makes it text (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

export function csvOf(columns: { name: string; unit: Unit }[], rows: Cell[][], zone: string): string {
  const headings = columns.map((column) => column.name);
  const instants = rows.map((row) => row.map((_, index) => dated(exactOf(row, index), columns[index]?.unit, zone)));
  return [headings, ...instants].map((row) => row.map(field).join(',')).join('\r\n') + '\r\n';
}

/** An instant is written on the bank's clock with its offset, so that its day is the one that the board shows. */
function dated(value: Cell | bigint, unit: Unit | undefined, zone: string): Cell | bigint {
  if (unit !== 'time' || typeof value !== 'string' || value === '') return value;
  const instant = instantOf(value);
  return Number.isNaN(instant) ? value : writtenIn(instant, zone);
}

function field(value: Cell | bigint): string {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  const text = Array.isArray(value) ? value.join(' ') : value;
  const safe = FORMULA.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
