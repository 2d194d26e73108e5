/** Bars: across where their labels are words, upright over days and numbers. */
import { legend, plain, tooltip, valueAxis, written, type Drawing, type Option } from './options';
import { cut, numberAt, type Series } from './series';
import { colourOf } from '../logic/rows';
import type { Cell } from '../types';

interface Hovered {
  seriesId?: string;
  seriesIndex: number;
  dataIndex: number;
}

export function bars(drawing: Drawing): Option {
  const { panel, answer, format, palette, lang } = drawing;
  const { x, series: all } = cut(panel, answer.rows, ['time', 'x', 'label'], lang, (value, column) =>
    plain(written(drawing, value, column), 40),
  );
  // one axis: bars of another unit beside them would be compared with them; what else is known is written
  const main = all[0]?.field.column.unit;
  const series = all.filter((one) => one.field.column.unit === main);
  const others = all.filter((one) => one.field.column.unit !== main);
  const across = x !== null && (x.column.role === 'label' || x.column.unit === 'text' || x.column.unit === 'state');
  const keys = [...new Set(series.flatMap((one) => one.points.map((point) => String(point.x))))];
  if (x && !across)
    keys.sort((a, b) =>
      x.column.unit === 'day' || x.column.unit === 'time' ? a.localeCompare(b) : Number(a) - Number(b),
    );
  const text = (key: string): string => (x ? named(drawing, key, x.column.unit, across) : '');
  const [beside] = across ? others.filter((one) => one.name === one.field.column.labels[lang]) : [];
  const known = (key: string): string => {
    const row = beside?.points.find((point) => String(point.x) === key)?.row;
    return beside && row
      ? `${beside.name} ${format.value(row[beside.field.index] ?? null, beside.field.column.unit)}`
      : '';
  };
  const category = {
    type: 'category',
    data: keys,
    inverse: across,
    axisLabel: {
      color: across ? palette.ink : palette.faint,
      hideOverlap: true,
      width: across ? Math.min(170, drawing.width * (beside ? 0.4 : 0.32)) : undefined,
      lineHeight: beside ? 15 : undefined,
      overflow: across ? 'truncate' : undefined,
      interval: across ? 0 : undefined,
      formatter: (key: string) => [plain(text(key), 40), ...(beside ? [known(key)] : [])].join('\n'),
    },
    axisLine: { lineStyle: { color: palette.line } },
    axisTick: { show: false },
  };
  const measured = series[0] ? valueAxis(drawing, series[0].field.column) : {};
  return {
    legend: legend(
      drawing,
      series.map((one) => one.name),
    ),
    grid: { left: 8, right: 20, top: series.length > 1 ? 34 : 14, bottom: 4, containLabel: true },
    tooltip: tooltip(drawing, {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      formatter: (hovered: Hovered[]) => tip(all, keys, hovered, text, (value, unit) => format.value(value, unit)),
    }),
    xAxis: across ? measured : category,
    yAxis: across ? category : measured,
    series: series.flatMap((one, number) => drawn(drawing, one, number, keys, across)),
  };
}

function named(drawing: Drawing, key: string, unit: string, across: boolean): string {
  if (key === 'null') return '–';
  if (across) return unit === 'state' ? drawing.word(key).text : drawing.format.value(key, 'text');
  if (unit === 'day' || unit === 'time') return drawing.format.axis(drawing.format.wall(key, unit), Infinity);
  return drawing.format.value(Number(key), unit as 'count');
}

function drawn(drawing: Drawing, one: Series, number: number, keys: string[], across: boolean): Option[] {
  const { palette } = drawing;
  const colour = palette.series[number % palette.series.length];
  const points = new Map(one.points.map((point) => [String(point.x), point]));
  const data = keys.map((key) => {
    const row = points.get(key)?.row;
    const signal = row ? colourOf(one.field, row) : null;
    const paint = signal ? palette.signal[signal] : colour;
    return { value: row ? numberAt(row, one.field.index) : null, itemStyle: { color: paint } };
  });
  const found: Option[] = [
    {
      type: 'bar',
      id: one.key,
      name: one.name,
      data,
      barMaxWidth: 26,
      itemStyle: { color: colour, borderRadius: 2 },
    },
  ];
  if (one.field.limit !== null) {
    const limits = keys.map((key) => numberAt(points.get(key)?.row ?? [], one.field.limit));
    found.push({
      type: 'custom',
      id: `${one.key} limit`,
      silent: true,
      tooltip: { show: false },
      data: limits.map((limit, index) => (across ? [limit, index] : [index, limit])),
      encode: across ? { x: 0, y: 1 } : { x: 0, y: 1 },
      renderItem: (
        _: unknown,
        api: { value: (n: number) => number; coord: (v: number[]) => number[]; size: (v: number[]) => number[] },
      ) => {
        const limit = api.value(across ? 0 : 1);
        if (Number.isNaN(limit)) return null;
        const [px = 0, py = 0] = api.coord([api.value(0), api.value(1)]);
        const size = api.size([1, 1]);
        const half = ((across ? size[1] : size[0]) ?? 20) * 0.35;
        const shape = across
          ? { x1: px, x2: px, y1: py - half, y2: py + half }
          : { x1: px - half, x2: px + half, y1: py, y2: py };
        return { type: 'line', shape, style: { stroke: palette.ink, lineWidth: 2 } };
      },
    });
  }
  return found;
}

function tip(
  series: Series[],
  keys: string[],
  hovered: Hovered[],
  text: (key: string) => string,
  write: (value: Cell, unit: Series['field']['column']['unit']) => string,
): string {
  const key = keys[hovered[0]?.dataIndex ?? -1];
  if (key === undefined) return '';
  const told = series.flatMap((one) => {
    const row = one.points.find((point) => String(point.x) === key)?.row;
    return row ? [`${plain(one.name, 40)}: ${write(row[one.field.index] ?? null, one.field.column.unit)}`] : [];
  });
  return [plain(text(key)), ...told].join('\n');
}
