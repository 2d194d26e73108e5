/** States over time: a band for each label, a region from its beginning to its end. */
import { plain, tooltip, written, type Drawing, type Option } from './options';
import { fill } from '../logic/i18n';
import { colourOf, fieldsOf } from '../logic/rows';
import type { Cell, Colour } from '../types';

interface Api {
  value: (dimension: number) => number;
  coord: (value: [number, number]) => [number, number];
  size: (value: [number, number]) => [number, number];
}

const COLOURS: Colour[] = ['red', 'amber', 'green', 'blue', 'grey'];

/** Pixels that a band needs to be told from the next, and those of the axis and what is said above. */
const LOWEST = 17;
const AROUND = 60;

/** Returns the names that there is room for, in their order: those whose state changed last. */
function newest(named: { row: Cell[]; name: string }[], begin: number, most: number, all: string[]): string[] {
  if (all.length <= most) return all;
  const since = new Map<string, string>();
  for (const { row, name } of named) {
    const began = String(row[begin]);
    if (began > (since.get(name) ?? '')) since.set(name, began);
  }
  const kept = new Set([...all].sort((a, b) => (since.get(b) ?? '').localeCompare(since.get(a) ?? '')).slice(0, most));
  return all.filter((name) => kept.has(name));
}

/** Returns what stands above: what the colours mean, in the order in which they are first seen, and what is left out. */
function said(drawing: Drawing, values: Cell[], shown: number, all: number): Option {
  const { palette } = drawing;
  const told = new Map<Colour, Set<string>>();
  for (const value of values) {
    if (typeof value !== 'string') continue;
    const { text, colour } = drawing.word(value);
    told.set(colour, (told.get(colour) ?? new Set()).add(text));
  }
  const parts = [...told].map(([colour, texts]) => `{${colour}|■} ${plain([...texts].join(' / '), 60)}`);
  if (shown < all) parts.push(`· ${fill(drawing.texts.newestOf, { n: shown, all })}`);
  return {
    text: parts.join('  '),
    left: 0,
    top: 0,
    padding: 0,
    textStyle: {
      fontSize: 12,
      fontWeight: 'normal',
      color: palette.faint,
      width: drawing.width,
      overflow: 'truncate',
      rich: Object.fromEntries(COLOURS.map((colour) => [colour, { color: palette.signal[colour], fontSize: 14 }])),
    },
  };
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
  const named = answer.rows.map((row) => ({ row, name: nameOf(row) }));
  const all = [...new Set(named.map(({ name }) => name))];
  const names = newest(named, begin, Math.max(1, Math.floor((drawing.height - AROUND) / LOWEST)), all);
  const place = new Map(names.map((name, index) => [name, index]));
  const rows = named.filter(({ name }) => place.has(name));
  const wall = (value: Cell | undefined): number =>
    typeof value === 'string' ? format.wall(value, 'time') : format.wall(new Date(answer.to).toISOString(), 'time');
  const [from, to] = [answer.from, answer.to].map((value) => format.wall(new Date(value).toISOString(), 'time'));
  const paint = (row: Cell[]): string => {
    const value = shown ? row[shown.index] : null;
    const step = shown ? colourOf(shown, row) : null;
    return palette.signal[step ?? (typeof value === 'string' ? drawing.word(value).colour : 'blue')];
  };
  return {
    title: said(
      drawing,
      rows.map(({ row }) => row[shown?.index ?? -1] ?? null),
      names.length,
      all.length,
    ),
    grid: { left: 8, right: 16, top: 26, bottom: 4, containLabel: true },
    tooltip: tooltip(drawing, {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const row = rows[dataIndex]?.row;
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
        data: rows.map(({ row, name }) => [wall(row[begin]), wall(row[end]), place.get(name)]),
        renderItem: (given: { dataIndex: number }, api: Api) => {
          const [x1, y] = api.coord([api.value(0), api.value(2)]);
          const [x2] = api.coord([api.value(1), api.value(2)]);
          const height = Math.min(26, api.size([0, 1])[1] * 0.7);
          const shape = { x: x1, y: y - height / 2, width: Math.max(2, x2 - x1), height, r: 2 };
          return { type: 'rect', shape, style: { fill: paint(rows[given.dataIndex]?.row ?? []) } };
        },
      },
    ],
  };
}
