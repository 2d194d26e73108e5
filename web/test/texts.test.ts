import { expect, test } from 'vitest';
import { fill, TEXTS } from '../src/logic/i18n';

type Tree = string | { [name: string]: Tree };

function leaves(tree: Tree, path = ''): [string, string][] {
  return typeof tree === 'string'
    ? [[path, tree]]
    : Object.entries(tree).flatMap(([name, branch]) => leaves(branch, `${path}.${name}`));
}

const english = new Map(leaves(TEXTS.en));
const chinese = new Map(leaves(TEXTS.zh));

test('both languages have the same texts', () => {
  expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
});

test('both languages have the same places in a text', () => {
  const places = (text: string | undefined): string[] =>
    [...(text ?? '').matchAll(/\{\w+\}/g)].map(([all]) => all).sort();
  for (const [path, text] of english) expect(places(chinese.get(path)), path).toEqual(places(text));
});

test('Chinese texts are Chinese, but for names', () => {
  const names = new Set(['.language', '.signedIn', '.steps.grey', '.steps.blue']);
  for (const [path, text] of chinese) if (!names.has(path)) expect(text, path).toMatch(/\p{Script=Han}/u);
});

test('a value is filled in as it is', () => {
  expect(fill('{a} and {b}', { a: '{b}', b: '$&' })).toBe('{b} and $&');
});

test('a name that turns the words around it is set apart', () => {
  expect(fill('{n}: cost', { n: 'ab\u202ecd' })).toBe('\u2068ab\u202ecd\u2069: cost');
  expect(fill('{n}: cost', { n: '\u2069\u202e' })).toBe('\u2068\u202e\u2069: cost');
  expect(fill('{n}: cost', { n: 'חורף' })).toBe('\u2068חורף\u2069: cost');
});
