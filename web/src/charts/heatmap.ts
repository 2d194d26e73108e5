/** A value over two dimensions, by the depth of a colour. */
import { plain, tooltip, written, type Drawing, type Option } from './options';
import type { Cell } from '../types';

export function heatmap(drawing: Drawing): Option {
  const { panel, answer, format, palette, lang } = drawing;
  const at = (role: string): number => panel.columns.findIndex((column) => column.role === role);
  const across = at('x') >= 0 ? at('x') : at('time');
  const upright = at('y') >= 0 ? at('y') : at('label');
  const shown = at('value');
  const [xs, ys] = [across, upright].map((index) => ordered(answer.rows.map((row) => row[index] ?? null)));
  const columns = [across, upright, shown].map((index) => panel.columns[index]);
  const [xColumn, yColumn, column] = columns;
  if (!xColumn || !yColumn || !column || !xs || !ys) return {};
  const values = answer.rows.map((row) => row[shown]).filter((value) => typeof value === 'number');
  const axis = (keys: Cell[], own: typeof xColumn): Option => ({
    type: 'category',
    data: keys.map(String),
    name: own.labels[lang],
    nameTextStyle: { color: palette.faint },
    axisLabel: {
      color: palette.faint,
      hideOverlap: true,
      formatter: (_: string, index: number) => short(drawing, keys[index] ?? null, own),
    },
    axisLine: { show: false },
    axisTick: { show: false },
  });
  return {
    grid: { left: 8, right: 16, top: 24, bottom: 44, containLabel: true },
    tooltip: tooltip(drawing, {
      formatter: ({ data }: { data: [number, number, number | null] }) =>
        [
          `${yColumn.labels[lang]}: ${plain(written(drawing, ys[data[1]] ?? null, yColumn))}`,
          `${xColumn.labels[lang]}: ${plain(written(drawing, xs[data[0]] ?? null, xColumn))}`,
          `${column.labels[lang]}: ${format.value(data[2], column.unit)}`,
        ].join('\n'),
    }),
    xAxis: { ...axis(xs, xColumn), nameLocation: 'middle', nameGap: 26 },
    yAxis: { ...axis(ys, yColumn), inverse: true },
    visualMap: {
      min: Math.min(0, ...values),
      max: Math.max(...values, Math.min(0, ...values) + 1e-9),
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      itemHeight: 120,
      itemWidth: 10,
      textStyle: { color: palette.faint },
      formatter: (value: number) => format.value(value, column.unit),
      inRange: { color: [palette.card, palette.series[0]] },
    },
    series: [
      {
        type: 'heatmap',
        id: 'cells',
        data: answer.rows.map((row) => [place(xs, row[across]), place(ys, row[upright]), row[shown] ?? null]),
        itemStyle: { borderColor: palette.line, borderWidth: 0.5 },
      },
    ],
  };
}

function place(keys: Cell[], value: Cell | undefined): number {
  return keys.indexOf(value ?? null);
}

function ordered(values: Cell[]): Cell[] {
  const keys = [...new Set(values)];
  return keys.every((key) => typeof key === 'number')
    ? keys.sort((a, b) => a - b)
    : keys.every((key) => typeof key === 'string' && /^\d{4}-\d\d-\d\d/.test(key))
      ? keys.sort()
      : keys;
}

function short(drawing: Drawing, value: Cell, column: Parameters<typeof written>[2]): string {
  const overTime = column.unit === 'day' || column.unit === 'time';
  return overTime && typeof value === 'string'
    ? drawing.format.axis(drawing.format.wall(value, column.unit), Infinity)
    : plain(written(drawing, value, column), 24);
}
