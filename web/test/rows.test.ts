import { describe, expect, test } from 'vitest';
import { csvOf } from '../src/logic/csv';
import {
  broughtBy,
  colourOf,
  countedAt,
  doubtsOf,
  fieldsOf,
  isUnjudged,
  limitOf,
  readIn,
  reasonOf,
  sorted,
} from '../src/logic/rows';
import { EventParser } from '../src/logic/sse';
import { shorten } from '../src/logic/shorten';
import type { Answer, Cell, Column, Panel, Role, Unit } from '../src/types';

const column = (name: string, role: Role = 'value', unit: Unit = 'count', steps: Column['steps'] = []): Column => ({
  name,
  labels: { en: name, zh: name },
  unit,
  role,
  steps,
  language: '',
  doubts: [],
});
const panel = (...columns: Column[]): Panel => ({
  id: 'p',
  board: 'b',
  titles: { en: 'p', zh: 'p' },
  descriptions: { en: 'p', zh: 'p' },
  empties: null,
  chart: 'table',
  width: 24,
  height: 8,
  source: 'clickhouse',
  columns,
  drill: { board: 'campaign', takes: { campaign: 'id' } },
  explains: '',
});

test('all ratios of a row are held against its required one, nothing else is', () => {
  const ratios = panel(
    column('ratio', 'value', 'ratio'),
    column('required', 'limit', 'ratio'),
    column('at most', 'value', 'ratio'),
  );
  expect(limitOf(ratios, [1.5, 2, 1.9])).toBe(2);
  expect(limitOf(ratios, [1.5, null, 1.9])).toBeNull();
  expect(limitOf(panel(column('share', 'value', 'share'), column('plan', 'limit', 'share')), [0.1, 0.2])).toBeNull();
});

describe('columns', () => {
  const shown = panel(
    column('id', 'hidden', 'text'),
    column('ratio', 'value', 'ratio'),
    column('least', 'limit'),
    column('lag'),
  );

  test('that say something of the one before them belong to it', () => {
    expect(fieldsOf(shown).map(({ column: { name }, limit }) => [name, limit])).toEqual([
      ['ratio', 2],
      ['lag', null],
    ]);
  });

  test('colour a value by its limit', () => {
    const [field] = fieldsOf(shown);
    if (!field) throw new Error('no field');
    expect([1.9, 2, 2.3, null].map((value) => colourOf(field, ['a', value, 2, 0]))).toEqual([
      'red',
      'amber',
      'green',
      null,
    ]);
  });

  test('colour a value by its steps', () => {
    const [field] = fieldsOf(
      panel(
        column('x', 'value', 'share', [
          [null, 'green'],
          [0.1, 'amber'],
          [0.25, 'red'],
        ]),
      ),
    );
    if (!field) throw new Error('no field');
    expect([0, 0.1, 0.2, 0.25].map((value) => colourOf(field, [value]))).toEqual(['green', 'amber', 'amber', 'red']);
  });

  test('bring the row’s campaign along, where it has one', () => {
    expect(broughtBy(shown, ['spring', 1, 2, 3])).toEqual({ campaign: 'spring' });
    expect(broughtBy(shown, [null, 1, 2, 3])).toBeNull();
  });
});

test('rows are sorted with nulls last, either way', () => {
  const rows = [[null], [2], [10], [1]];
  expect(sorted(rows, 0, false, 'en').flat()).toEqual([1, 2, 10, null]);
  expect(sorted(rows, 0, true, 'en').flat()).toEqual([10, 2, 1, null]);
});

test('a reader sees the texts of his own language, at the places that they have in an answer', () => {
  const both = panel(
    column('id', 'hidden', 'text'),
    { ...column('reason_en', 'value', 'text'), language: 'en' },
    { ...column('reason_zh', 'value', 'text'), language: 'zh' },
    column('lag'),
  );
  const seen = (lang: 'en' | 'zh') => fieldsOf(readIn(both, lang)).map(({ column: { name }, index }) => [name, index]);
  expect(seen('en')).toEqual([
    ['reason_en', 1],
    ['lag', 3],
  ]);
  expect(seen('zh')).toEqual([
    ['reason_zh', 2],
    ['lag', 3],
  ]);
});

test('figures are as old as the oldest of them, and of now where nothing says otherwise', () => {
  const counted = panel(column('cost'), column('counted_at', 'counted', 'time'));
  const answer = (...rows: Cell[][]): Answer => ({ id: 'p', columns: [], rows, tag: '', from: 0, to: 0, latest: 0 });
  const old = '2026-06-01 10:32:00.000';
  expect(countedAt(counted, answer([1, '2026-06-01 10:42:00.000'], [2, old], [3, null]))).toBe(Date.parse(`${old}Z`));
  expect(countedAt(counted, answer([1, null]))).toBe(null);
  expect(countedAt(panel(column('cost')), answer([1]))).toBe(null);
  expect(fieldsOf(counted).map((field) => field.column.name)).toEqual(['cost']);
});

test('a file of a table has no formulas and keeps quotes, commas and line breaks', () => {
  expect(
    csvOf(
      [
        { name: 'a', unit: 'text' },
        { name: 'b', unit: 'count' },
      ],
      [
        ['=cmd()', null],
        ['x, "y"', -1.5],
        ['-2', [1, 2]],
      ],
      'UTC',
    ),
  ).toBe('a,b\r\n\'=cmd(),\r\n"x, ""y""",-1.5\r\n-2,1 2\r\n');
});

test('a file of a table has instants on the bank’s clock: its days are those of the board', () => {
  const columns = [
    { name: 'time', unit: 'time' as const },
    { name: 'day', unit: 'day' as const },
  ];
  const rows = [
    ['2026-10-27 16:00:00', '2026-10-28'],
    ['2026-10-27 16:00:00.250', null],
  ];
  expect(csvOf(columns, rows, 'Asia/Shanghai')).toBe(
    'time,day\r\n2026-10-28T00:00:00+08:00,2026-10-28\r\n2026-10-28T00:00:00.250+08:00,\r\n',
  );
  expect(csvOf(columns, [['2026-01-01 00:00:00', null]], 'America/St_Johns')).toContain('2025-12-31T20:30:00-03:30');
});

test('a ratio of a campaign that is too young, or whose data are at fault, is not judged', () => {
  const states = panel(column('state', 'value', 'state'), column('ratio', 'value', 'ratio'), column('least', 'limit'));
  expect(
    ['immature', 'blocked', 'firing', 'watching', null].map((state) => isUnjudged(states, [state, 0.1, 2])),
  ).toEqual([true, true, false, false, false]);
});

test('server-sent events come whole out of any pieces', () => {
  const text = ': alive\n\nevent: panel\ndata: {"a":\ndata: 1}\n\nretry: 1\r\n\r\ndata: é\r\n\r\n';
  for (let cut = 1; cut < 9; cut++) {
    const parser = new EventParser();
    const found = [];
    for (let at = 0; at < text.length; at += cut) found.push(...parser.push(text.slice(at, at + cut)));
    expect(found).toEqual([
      { event: 'panel', data: '{"a":\n1}' },
      { event: 'message', data: 'é' },
    ]);
  }
});

test('a long name is cut between what people take for characters', () => {
  expect(shorten('👨‍👩‍👧‍👦'.repeat(9), 3)).toBe('👨‍👩‍👧‍👦👨‍👩‍👧‍👦…');
  expect(shorten('short', 5)).toBe('short');
});

describe('what nobody can tell yet', () => {
  const doubted: Column = { ...column('open'), doubts: ['blocked', 'early', 'nothing'] };
  const shown = panel(doubted, column('blocked'), column('early', 'hidden'), column('alert_state', 'value', 'state'));
  const [field] = fieldsOf(shown);

  test('is counted beside a value, each kind that is not 0', () => {
    if (!field) throw new Error('no field');
    expect(doubtsOf(shown, field, [0, 3, 12, '']).map(([{ name }, count]) => [name, count])).toEqual([
      ['blocked', 3],
      ['early', 12],
    ]);
    expect(doubtsOf(shown, field, [0, 0, null, ''])).toEqual([]);
  });

  test('is the reason why no money is told to be at risk', () => {
    const money = column('money_at_risk_minor', 'value', 'minor');
    expect(reasonOf(money, shown, [0, 0, 0, 'immature'])).toBe('unjudged');
    expect(reasonOf(money, shown, [0, 0, 0, 'firing'])).toBe('noRisk');
    expect(reasonOf(money)).toBe('noRisk');
    const sum = { ...money, doubts: ['blocked', 'early'] };
    expect(reasonOf(sum, shown, [0, 0, 2, ''])).toBe('unjudged');
    expect(reasonOf(sum, shown, [0, 0, 0, ''])).toBe('noRisk');
  });
});
