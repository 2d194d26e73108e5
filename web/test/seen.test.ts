import { expect, test } from 'vitest';
import { Format } from '../src/logic/format';
import { isSeen, nameOf, withNames } from '../src/logic/seen';
import type { Answer } from '../src/types';

const UNSEEN = ['', '   ', '\u200b', '\u3000\u00a0', '\u202e\u200d\ufe0f', '\u3164', '\u2800'];

test('a name of nothing that can be seen gives way to the id', () => {
  for (const name of UNSEEN) expect([isSeen(name), nameOf(name, 'c1')]).toEqual([false, 'c1']);
  for (const name of ['a', '春', '.', '🎉', '\u200bx', '0']) expect(nameOf(name, 'c1')).toBe(name);
});

test('rows that name a campaign and its id show what can be seen of both', () => {
  const answer: Answer = {
    id: 'p',
    columns: [
      { name: 'campaign_id', type: 'String', unit: 'text' },
      { name: 'name', type: 'String', unit: 'text' },
    ],
    rows: [
      ['c1', '\u200b'],
      ['c2', 'Spring'],
    ],
    tag: '',
    from: 0,
    to: 1,
    latest: 1,
  };
  expect(withNames(answer).rows).toEqual([
    ['c1', 'c1'],
    ['c2', 'Spring'],
  ]);
});

test('an owner whom nobody can see is said to be that', () => {
  const about = { currency: 'CNY', zone: 'UTC' };
  expect(new Format('en', about).value('\u200b ', 'text')).toBe('(invisible characters)');
  expect(new Format('zh', about).value('\u3000', 'text')).toBe('（不可见字符）');
});
