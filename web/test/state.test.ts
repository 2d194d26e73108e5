import { describe, expect, test } from 'vitest';
import { boardOf, drilled, broughtTo, readState, viewOf, writeState } from '../src/logic/state';
import type { Board } from '../src/types';

const variable = (name: string) => ({ name, labels: { en: name, zh: name }, multiple: name !== 'run', default: '' });
const board = (id: string, ...variables: string[]): Board => ({
  id,
  titles: { en: id, zh: id },
  descriptions: { en: id, zh: id },
  latest: '30d',
  variables: variables.map(variable),
  panels: [],
});
const FIRST = board('campaigns', 'run', 'campaign');
const USERS = board('users', 'run', 'tier');
const BOARDS = [FIRST, board('campaign', 'run', 'campaign'), USERS];
const needs = (id: string): string[] =>
  broughtTo(id, [{ drill: { board: 'campaign', takes: { campaign: 'campaign_id' } } }]);

describe('the address', () => {
  test.each([
    './?board=campaign&campaign=a%26b&campaign=%E6%98%A5&from=1&to=2&theme=dark&alert=alr_1',
    './?board=users&tier=A&lang=zh&explain=spring&metric=cost_minor',
    './?alerts=open',
    './',
  ])('%s comes back as it was', (address) => {
    expect(writeState(readState(address.slice(2), 'en-GB'), 'en-GB')).toBe(address);
  });

  test('of a Chinese browser has the language only where it is another', () => {
    const state = readState('', 'zh-CN');
    expect(state.lang).toBe('zh');
    expect(writeState(state, 'zh-CN')).toBe('./');
    expect(writeState({ ...state, lang: 'en' }, 'zh-CN')).toBe('./?lang=en');
  });

  test('with what nobody knows is read without harm', () => {
    const state = readState('?lang=<script>&theme=1&__proto__=x&board=%', 'en');
    expect([state.lang, state.theme, state.board]).toEqual(['en', 'auto', '%']);
  });
});

describe('the board', () => {
  test('of an alert’s link is the one about one campaign', () => {
    expect(boardOf(readState('?campaign=spring&alert=alr_1', 'en'), BOARDS, needs)?.id).toBe('campaign');
  });

  test('of such a link without that board is the first with a choice of campaigns', () => {
    expect(boardOf(readState('?campaign=spring', 'en'), [USERS, FIRST], () => [])?.id).toBe('campaigns');
  });

  test('is the first one where none is named, or an unknown one', () => {
    expect(boardOf(readState('?run=r', 'en'), BOARDS, needs)?.id).toBe('campaigns');
    expect(boardOf(readState('?board=nothing', 'en'), BOARDS, needs)?.id).toBe('campaigns');
  });

  test('asks for its own variables only', () => {
    const state = readState('?board=users&campaign=spring&tier=A&tier=B&run=r&run=s', 'en');
    expect(viewOf(state, USERS).toString()).toBe('from=latest-30d&to=latest&run=r&tier=A&tier=B');
  });

  test('that a row leads to takes the run along and nothing else', () => {
    const state = readState('?board=campaigns&run=r&owner=wu&explain=x&metric=y', 'en');
    expect(drilled(state, 'campaign', { campaign: 'spring' })).toMatchObject({
      board: 'campaign',
      values: { run: ['r'], campaign: ['spring'] },
      explain: '',
    });
  });
});
