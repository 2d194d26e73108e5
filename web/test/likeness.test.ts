import { describe, expect, it } from 'vitest';
import { alike } from '../src/logic/likeness';

const KNOWN = ['spring-2026', 'Spring-2025', 'summer-card', '夏季理财'].map((value) => ({ value, text: value }));
const values = (word: string): string[] => alike(word, KNOWN).map((one) => one.value);

describe('what somebody may have meant', () => {
  it('is what differs in capital letters, a letter or two, or its end', () => {
    expect(values('spring-2025')[0]).toBe('Spring-2025');
    expect(values('sprng-2026')[0]).toBe('spring-2026');
    expect(values('summer')).toEqual(['summer-card']);
    expect(values('夏季理才')).toEqual(['夏季理财']);
  });

  it('is nothing where nothing is alike', () => {
    expect(values('autumn')).toEqual([]);
    expect(values('')).toEqual([]);
    expect(values('x'.repeat(200))).toEqual([]);
  });
});
