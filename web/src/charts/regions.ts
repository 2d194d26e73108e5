/** States over time: a band for each label, a region from its beginning to its end. */
import { plain, tooltip, written, type Drawing, type Option } from './options';
import { colourOf, fieldsOf } from '../logic/rows';
import type { Cell } from '../types';

interface Api {
  value: (dimension: number) => number;
  coord: (value: [number, number]) => [number, number];
  size: (value: [number, number]) => [number, number];
}

export function regions(drawing: Drawing): Option {
  const { panel, answer, format, palette } = drawing;
  const at = (role: string): number => panel.columns.findIndex((column) => column.role === role);
  const [begin, end] = [at('time'), at('end')];
  const shown = fieldsOf(panel).find((field) => field.column.role === 'value');
  const labels = fieldsOf(panel).filter((field) => field.column.role === 'label');
  const time = panel.columns[begin];
  if (!time) return {};
  const nameOf = (row: Cell[]): string =>
    labels.map((field) => written(drawing, row[field.index] ?? null, field.column)).join(' · ');
  const names = [...new Set(answer.rows.map(nameOf))];
  const wall = (value: Cell | undefined): number =>
    typeof value === 'string' ? format.wall(value, 'time') : format.wall(new Date(answer.to).toISOString(), 'time');
  const [from, to] = [answer.from, answer.to].map((value) => format.wall(new Date(value).toISOString(), 'time'));
  const paint = (row: Cell[]): string => {
    const value = shown ? row[shown.index] : null;
    const step = shown ? colourOf(shown, row) : null;
    return palette.signal[step ?? (typeof value === 'string' ? drawing.word(value).colour : 'blue')];
  };
  return {
    grid: { left: 8, right: 16, top: 10, bottom: 4, containLabel: true },
    tooltip: tooltip(drawing, {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const row = answer.rows[dataIndex];
        if (!row) return '';
        const until = typeof row[end] === 'string' ? format.value(row[end], 'time') : '…';
        const what = shown ? written(drawing, row[shown.index] ?? null, shown.column) : '';
        return [plain(nameOf(row)), plain(what), `${format.value(row[begin] ?? null, 'time')} – ${until}`].join('\n');
      },
    }),
    xAxis: {
      type: 'time',
      min: from,
      max: to,
      axisLabel: {
        color: palette.faint,
        hideOverlap: true,
        formatter: (value: number) => format.axis(value, (to ?? 0) - (from ?? 0)),
      },
      axisLine: { lineStyle: { color: palette.line } },
    },
    yAxis: {
      type: 'category',
      data: names,
      inverse: true,
      axisLabel: {
        color: palette.ink,
        width: Math.min(170, drawing.width * 0.3),
        overflow: 'truncate',
        formatter: (name: string) => plain(name, 40),
      },
      axisTick: { show: false },
      axisLine: { show: false },
    },
    series: [
      {
        type: 'custom',
        id: 'regions',
        clip: true,
        encode: { x: [0, 1], y: 2 },
        data: answer.rows.map((row) => [wall(row[begin]), wall(row[end]), names.indexOf(nameOf(row))]),
        renderItem: (given: { dataIndex: number }, api: Api) => {
          const [x1, y] = api.coord([api.value(0), api.value(2)]);
          const [x2] = api.coord([api.value(1), api.value(2)]);
          const height = Math.min(26, api.size([0, 1])[1] * 0.7);
          const shape = { x: x1, y: y - height / 2, width: Math.max(2, x2 - x1), height, r: 2 };
          return { type: 'rect', shape, style: { fill: paint(answer.rows[given.dataIndex] ?? []) } };
        },
      },
    ],
  };
}
