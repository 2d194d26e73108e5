/** A row of numbers as the path of a small line. */
import type { Cell } from '../types';

/** Returns the line: it begins anew after values that are not there, and one that stands alone is a dot. */
export function pathOf(values: Cell[], step: number, y: (value: number) => number): string {
  return values
    .map((value, index) => {
      if (typeof value !== 'number') return '';
      const at = `${(index * step).toFixed(1)} ${y(value).toFixed(1)}`;
      if (typeof values[index - 1] === 'number') return `L${at}`;
      return typeof values[index + 1] === 'number' ? `M${at}` : `M${at}h0.01`;
    })
    .join('');
}
