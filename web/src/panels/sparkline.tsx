/** A row of numbers as a line as high as the text beside it. */
import { pathOf } from '../charts/spark';
import { usePage } from '../logic/context';
import type { Cell, Column } from '../types';

const WIDTH = 96;
const HEIGHT = 22;

export function Sparkline({ values, column }: { values: Cell; column: Column }) {
  const { format, state, texts } = usePage();
  const all: Cell[] = Array.isArray(values) ? values : [];
  const numbers = all.filter((value) => typeof value === 'number');
  if (numbers.length === 0) return <span class="none">{format.value(null, 'count')}</span>;
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const step = WIDTH / Math.max(1, all.length - 1);
  const y = (value: number): number => HEIGHT - 2 - ((value - low) / (high - low || 1)) * (HEIGHT - 4);
  const path = pathOf(all, step, y);
  const text = `${column.labels[state.lang]}: ${texts.upTo
    .replace('{low}', format.value(numbers[0] ?? null, 'count'))
    .replace('{high}', format.value(numbers.at(-1) ?? null, 'count'))}`;
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={text}>
      <path d={path} />
    </svg>
  );
}
