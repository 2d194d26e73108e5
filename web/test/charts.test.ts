import { describe, expect, test } from 'vitest';
import { bars } from '../src/charts/bars';
import { lines } from '../src/charts/lines';
import { regions } from '../src/charts/regions';
import { plain } from '../src/charts/options';
import { pathOf } from '../src/charts/spark';
import { Format } from '../src/logic/format';
import { EN } from '../src/logic/texts-en';
import type { Drawing, Option } from '../src/charts/options';
import type { Cell, Column, Panel, Role, Unit } from '../src/types';

const column = (name: string, unit: Unit, role: Role = 'value'): Column => ({
  name,
  labels: { en: name, zh: name },
  unit,
  role,
  steps: [],
  language: '',
  doubts: [],
});

function drawing(chart: Panel['chart'], columns: Column[], rows: Cell[][]): Drawing {
  const panel: Panel = {
    id: 'p',
    board: 'b',
    titles: { en: 'p', zh: 'p' },
    descriptions: { en: 'p', zh: 'p' },
    empties: null,
    chart,
    width: 12,
    height: 8,
    source: 'clickhouse',
    columns,
    drill: null,
    explains: '',
  };
  const signal = { red: 'r', amber: 'a', green: 'g', blue: 'b', grey: 'y' };
  return {
    panel,
    answer: { id: 'p', columns: [], rows, tag: '', from: 0, to: 1, latest: 1 },
    format: new Format('en', { currency: 'CNY', zone: 'Asia/Shanghai' }),
    texts: EN,
    lang: 'en',
    palette: { series: ['1', '2', '3'], signal, ink: 'i', faint: 'f', line: 'l', card: 'c' },
    width: 400,
    height: 200,
    word: (word) => ({ text: word.toUpperCase(), colour: word === 'firing' ? 'red' : 'grey' }),
  };
}

const seriesOf = (option: Option): { name?: string; data: unknown[] }[] =>
  option.series as { name?: string; data: unknown[] }[];
/** What a point of a line has for a value, whether it is drawn with a symbol of its own or not. */
const valueOf = (item: unknown): unknown => {
  const [, value] = (Array.isArray(item) ? item : (item as { value: unknown[] }).value) as unknown[];
  return value;
};

describe('a line', () => {
  const time = column('time', 'time', 'time');
  const money = column('cost_minor', 'minor');
  const day = (number: number): string => `2026-11-${String(number).padStart(2, '0')} 16:00:00`;

  test('is broken where days are missing, and a day that stands alone is a dot', () => {
    const option = lines(
      drawing(
        'time',
        [time, money],
        [1, 2, 3, 9, 20, 21].map((at) => [day(at), at]),
      ),
    );
    const [line] = seriesOf(option);
    expect(line?.data.map(valueOf)).toEqual([1, 2, 3, null, 9, null, 20, 21]);
    const symbols = line?.data.map((item) => (Array.isArray(item) ? 'own' : 'none'));
    expect(symbols).toEqual(['none', 'none', 'none', 'none', 'own', 'none', 'none', 'none']);
  });

  test('of days has days along its axis, never hours', () => {
    const option = lines(
      drawing(
        'time',
        [time, money],
        [1, 2].map((at) => [day(at), at]),
      ),
    );
    const axis = option.xAxis as { minInterval: number; axisLabel: { formatter: (value: number) => string } };
    expect(axis.minInterval).toBe(86_400_000);
    expect(axis.axisLabel.formatter(Date.UTC(2026, 10, 2))).toBe('2 Nov');
  });

  test('tells a ratio from the limit that it is below', () => {
    const columns = [time, column('ratio', 'ratio'), column('required', 'ratio', 'limit')];
    const option = lines(drawing('time', columns, [[day(1), 1.9999, 2]]));
    const { formatter } = option.tooltip as { formatter: (hovered: unknown[]) => string };
    const seriesId = (option.series as { id: string }[])[0]?.id;
    expect(formatter([{ seriesId, axisValue: 0, dataIndex: 0 }])).toContain('ratio: 1.9999 ');
  });

  test('of a few numbers begins anew after one that is not there', () => {
    expect(pathOf([null, 1, 2, null, 3, null], 10, (value) => value)).toBe('M10.0 1.0L20.0 2.0M40.0 3.0h0.01');
  });
});

describe('bars', () => {
  test('have one unit; what else is known of a row stands beside its name', () => {
    const columns = [column('tier', 'text', 'label'), column('cost', 'minor'), column('return ÷ cost', 'ratio')];
    const option = bars(
      drawing('bars', columns, [
        ['a', 100, 2],
        ['b', 200, 3],
      ]),
    );
    expect(seriesOf(option).map((one) => one.name)).toEqual(['cost']);
    const axis = option.yAxis as { axisLabel: { formatter: (key: string) => string } };
    expect(axis.axisLabel.formatter('b')).toBe('b\nreturn ÷ cost 3.00');
  });

  test('stand along what tells the rows apart, not along what all of them share', () => {
    const columns = [column('name', 'text', 'label'), column('category', 'text', 'label'), column('cost', 'minor')];
    const rows: Cell[][] = [
      ['Spring', 'media', 1],
      ['Spring', 'labour', 2],
    ];
    expect((bars(drawing('bars', columns, rows)).yAxis as { data: string[] }).data).toEqual(['media', 'labour']);
    expect((bars(drawing('bars', columns, rows.slice(0, 1))).yAxis as { data: string[] }).data).toEqual(['media']);
  });
});

test('regions say what their colours stand for', () => {
  const columns = [
    column('time', 'time', 'time'),
    column('end', 'time', 'end'),
    column('name', 'text', 'label'),
    column('state', 'state'),
  ];
  const option = regions(
    drawing('regions', columns, [
      ['2026-11-01 00:00:00', '2026-11-02 00:00:00', 'Spring', 'firing'],
      ['2026-11-02 00:00:00', null, 'Spring', 'watching'],
    ]),
  );
  expect((option.title as { text: string }).text).toBe('{red|■} FIRING  {grey|■} WATCHING');
});

describe('a name in a chart', () => {
  test('is drawn as it is written, but in one line', () => {
    expect(plain('{{7*7}} ${7*7} %s {0} a|b')).toBe('{{7*7}} ${7*7} %s {0} a|b');
    expect(plain('two\nlines\r\nand\ta tab ')).toBe('two lines and a tab');
    expect(plain('x'.repeat(99), 40)).toHaveLength(40);
  });

  test('is never one of the marks that richtext takes for a style', () => {
    expect(plain('{red|danger} {a_1|b}')).not.toMatch(/\{[a-zA-Z0-9_]+\|/);
    expect(plain('{red|danger}').replaceAll('\u2060', '')).toBe('{red|danger}');
  });
});
