import { describe, expect, test } from 'vitest';
import { widthOf } from '../src/logic/width';
import { Format } from '../src/logic/format';
import { dayOf, instantAt, instantOf, midnightOf, minuteOf, offsetOf, wallOf } from '../src/logic/time';
import type { Cell, Unit } from '../src/types';

const english = new Format('en', { currency: 'CNY', zone: 'Asia/Shanghai' });
const chinese = new Format('zh', { currency: 'CNY', zone: 'Asia/Shanghai' });

describe('values', () => {
  test.each<[Cell, Unit, string, string]>([
    [null, 'minor', '–', '–'],
    [null, 'ratio', '–', '–'],
    ['', 'text', '–', '–'],
    [0, 'minor', '¥0', '¥0'],
    [1234, 'minor', '¥12.34', '¥12.34'],
    [-123_456_78, 'minor', '-¥123,457', '-¥12.35万'],
    [123_456_789_00, 'minor', '¥123.46M', '¥1.23亿'],
    [0.1234, 'share', '12.3%', '12.3%'],
    [0.00123, 'share', '0.12%', '0.12%'],
    [1.999, 'ratio', '2.00', '2.00'],
    [12_345, 'count', '12,345', '12,345'],
    [0.5, 'count', '0.5', '0.5'],
    [1_500_000, 'bytes', '1.5 MB', '1.5 MB'],
    ['2026-01-31', 'day', '31 Jan 2026', '2026年1月31日'],
    ['2026-01-31 16:00:00', 'time', '1 Feb 2026, 00:00', '2026年2月1日 00:00'],
    ['=1+1', 'text', '=1+1', '=1+1'],
  ])('%j as %s', (value, unit, en, zh) => {
    expect(english.value(value, unit)).toBe(en);
    expect(chinese.value(value, unit)).toBe(zh);
  });

  test.each<[number, Cell, string, string]>([
    [1.38, 2, '1.38', '1.38'],
    [1.99, 2, '1.99', '1.99'],
    [1.997, 2, '1.997', '1.997'],
    [1.9999, 2, '1.9999', '1.9999'],
    [1.9999999, 2, '1.9999999', '1.9999999'],
    [2, 2, '2.00', '2.00'],
    [2.0001, 2, '2.00', '2.0001'],
    [1.9999, null, '2.00', '1.9999'],
    [1.4963, 1.5, '1.496', '1.4963'],
    [1.9943, 1.9944, '1.99', '1.9943'],
    [1.9963, 1.9964, '1.996', '1.9963'],
    [1.9964, 1.9964, '1.9964', '1.9964'],
    [1.9946, 1.9944, '1.995', '1.9946'],
    [1.999999999, 2, '2.00', '2.00'],
  ])('a ratio of %d reads as on its side of the limit of %j', (value, limit, shown, exact) => {
    expect(english.value(value, 'ratio', limit)).toBe(shown);
    expect(chinese.exact(value, 'ratio', limit)).toBe(exact);
  });

  test('have all their digits where that is wanted', () => {
    expect(english.exact(123_456_789_01, 'minor')).toBe('¥123,456,789.01');
    expect(english.exact(0.123456, 'share')).toBe('12.3456%');
  });

  test('of currencies without or with other minor units', () => {
    expect(new Format('en', { currency: 'JPY', zone: 'Asia/Tokyo' }).exact(1234, 'minor')).toBe('¥1,234');
    expect(new Format('en', { currency: 'KWD', zone: 'Asia/Kuwait' }).exact(1234, 'minor')).toContain('1.234');
  });

  test('change against what was before, and against nothing not at all', () => {
    expect(english.change(150, 100)).toBe('+50%');
    expect(english.change(50, -100)).toBe('+150%');
    expect(english.change(1, 0)).toBeNull();
    expect(english.change(1, null)).toBeNull();
  });
});

describe('instants', () => {
  test('without an offset are in UTC', () => {
    expect(instantOf('2026-01-31 16:00:00.123')).toBe(Date.UTC(2026, 0, 31, 16, 0, 0, 123));
    expect(instantOf('2026-01-31T16:00:00+08:00')).toBe(Date.UTC(2026, 0, 31, 8));
    expect(instantOf('2026-01-31')).toBe(Date.UTC(2026, 0, 31));
  });

  test('show the clock of the zone, with and without summer time', () => {
    expect(offsetOf(0, 'Asia/Shanghai')).toBe(8 * 3_600_000);
    expect(offsetOf(Date.UTC(2026, 6, 1), 'Europe/Berlin')).toBe(2 * 3_600_000);
    expect(new Date(wallOf(Date.UTC(2026, 0, 1, 20), 'Asia/Shanghai')).toISOString()).toBe('2026-01-02T04:00:00.000Z');
  });

  test('are those at which the zone’s clock shows a minute', () => {
    expect(instantAt('2026-07-01T08:30', 'Asia/Shanghai')).toBe(Date.UTC(2026, 6, 1, 0, 30));
    for (const zone of ['Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'UTC']) {
      for (const minute of ['2026-03-29T04:30', '2026-11-01T08:00', '2026-12-31T23:59']) {
        expect(minuteOf(instantAt(minute, zone), zone)).toBe(minute);
      }
    }
  });

  test('of a business day begin at its zone’s midnight', () => {
    for (const zone of ['Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'UTC']) {
      for (const day of ['2026-03-29', '2026-10-25', '2026-11-01', '2026-07-01']) {
        const begin = midnightOf(day, zone);
        expect(dayOf(begin, zone)).toBe(day);
        expect(dayOf(begin - 1, zone) < day).toBe(true);
      }
    }
  });
});

test('a text is given the room that its characters take, those of Chinese twice as much', () => {
  expect(widthOf('')).toBeLessThan(1);
  expect(widthOf('¥330.00万亿')).toBeGreaterThan(5.5);
  expect(widthOf('万亿')).toBeGreaterThan(widthOf('00'));
});
