import { describe, expect, test } from 'vitest';
import { csvOf } from '../src/logic/csv';
import { exactOf, readJson } from '../src/logic/exact';
import { Format } from '../src/logic/format';
import type { Answer } from '../src/types';

const read = (text: string): Answer['rows'] => (readJson(text) as { rows: Answer['rows'] }).rows;

describe('an integer beyond what a double holds', () => {
  const text = '{"rows":[["exact:1",17999999999999982,-9007199254740993,0.1234567890123456789,12]]}';

  test('is a number to draw, with all its digits beside it', () => {
    const [row] = read(text);
    if (!row) throw new Error('nothing was read');
    expect(row).toEqual(['exact:1', 17999999999999982, -9007199254740992, 0.12345678901234568, 12]);
    expect(exactOf(row, 1)).toBe(17999999999999982n);
    expect(exactOf(row, 2)).toBe(-9007199254740993n);
    expect([exactOf(row, 0), exactOf(row, 3), exactOf(row, 4), exactOf(row, 9)]).toEqual([
      'exact:1',
      0.12345678901234568,
      12,
      null,
    ]);
  });

  test('stays itself in a file, whatever stands in the texts beside it', () => {
    const columns = [
      { name: 'name', unit: 'text' as const },
      { name: 'cost_minor', unit: 'minor' as const },
    ];
    const rows = read('{"rows":[[",1234567890123456789,",17999999999999981]]}');
    expect(csvOf(columns, rows, 'UTC')).toBe('name,cost_minor\r\n",1234567890123456789,",17999999999999981\r\n');
  });

  test('is written out as money to the last minor unit', () => {
    const yuan = new Format('en', { currency: 'CNY', zone: 'UTC' });
    const yen = new Format('en', { currency: 'JPY', zone: 'UTC' });
    expect(yuan.exact(17999999999999982n, 'minor')).toBe('¥179,999,999,999,999.82');
    expect(yuan.exact(-9007199254740990, 'minor')).toBe('-¥90,071,992,547,409.90');
    expect([yuan.exact(5, 'minor'), yuan.exact(0, 'minor'), yuan.exact(1234.5, 'minor')]).toEqual([
      '¥0.05',
      '¥0.00',
      '¥12.35',
    ]);
    expect(yen.exact(17999999999999982n, 'minor')).toBe('¥17,999,999,999,999,982');
    expect(yuan.exact(17999999999999983n, 'count')).toBe('17,999,999,999,999,983');
  });
});
