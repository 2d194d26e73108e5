/** A row of numbers as a line as high as the text beside it. */
import { usePage } from '../logic/context';
import type { Cell, Column } from '../types';

const WIDTH = 96;
const HEIGHT = 22;

export function Sparkline({ values, column }: { values: Cell; column: Column }) {
  const { format, state, texts } = usePage();
  const numbers = Array.isArray(values) ? values : [];
  if (numbers.length < 2) return <span class="none">{format.value(null, 'count')}</span>;
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const step = WIDTH / (numbers.length - 1);
  const y = (value: number): number => HEIGHT - 2 - ((value - low) / (high - low || 1)) * (HEIGHT - 4);
  const path = numbers
    .map((value, index) => `${index ? 'L' : 'M'}${(index * step).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('');
  const text = `${column.labels[state.lang]}: ${texts.upTo
    .replace('{low}', format.value(numbers[0] ?? null, 'count'))
    .replace('{high}', format.value(numbers.at(-1) ?? null, 'count'))}`;
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={text}>
      <path d={path} />
    </svg>
  );
}
