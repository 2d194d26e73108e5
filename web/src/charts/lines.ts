/** Lines over time or over a number, with bands, limits and the period before. */
import { legend, plain, tooltip, valueAxis, written, type Drawing, type Option } from './options';
import { cut, numberAt, stepOf, withGaps, type Point, type Series } from './series';
import { limitOf } from '../logic/rows';
import type { Cell, Unit } from '../types';

const DAY_MS = 86_400_000;

interface Hovered {
  seriesId?: string;
  axisValue: number;
  dataIndex: number;
}

export function lines(drawing: Drawing): Option {
  const { panel, answer, format, palette, lang } = drawing;
  const isTime = panel.chart === 'time';
  const { x, series: found } = cut(panel, answer.rows, isTime ? ['time'] : ['x', 'time'], lang, (value, column) =>
    plain(written(drawing, value, column), 40),
  );
  const unit: Unit = x?.column.unit ?? 'count';
  const overTime = unit === 'time' || unit === 'day';
  const place = (value: Cell): number =>
    overTime && typeof value === 'string' ? format.wall(value, unit) : Number(value);
  const step = overTime ? stepOf(found, place) : Infinity;
  const series = found.map((one) => ({ ...one, points: withGaps(one.points, place, step) }));
  const isDaily = overTime && found.every((one) => one.points.every((point) => place(point.x) % DAY_MS === 0));
  const units = [...new Set(series.map((one) => one.field.column.unit))].slice(0, 2);
  const names = series.map((one) => one.name);
  const span = overTime ? spanOf(series, place) : 0;
  return {
    legend: legend(drawing, names),
    grid: {
      left: 8,
      right: units.length > 1 ? 8 : 16,
      top: names.length > 1 ? 34 : 14,
      bottom: overTime ? 4 : 22,
      containLabel: true,
    },
    tooltip: tooltip(drawing, {
      trigger: 'axis',
      axisPointer: { lineStyle: { color: palette.faint } },
      formatter: (hovered: Hovered[]) => tip(drawing, series, hovered, unit),
    }),
    xAxis: {
      type: overTime ? 'time' : 'value',
      min: overTime ? undefined : 'dataMin',
      max: overTime ? undefined : 'dataMax',
      minInterval: isDaily ? DAY_MS : undefined,
      name: overTime ? undefined : x?.column.labels[lang],
      nameLocation: 'middle',
      nameGap: 24,
      nameTextStyle: { color: palette.faint },
      axisLabel: {
        color: palette.faint,
        hideOverlap: true,
        formatter: (value: number) =>
          overTime ? format.axis(value, isDaily ? Infinity : span) : format.value(value, unit),
      },
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { lineStyle: { color: palette.line } },
      splitLine: { show: false },
    },
    yAxis: units.map((own, number) => {
      const column = series.find((one) => one.field.column.unit === own)?.field.column;
      return column
        ? valueAxis(drawing, column, {
            position: number ? 'right' : 'left',
            splitLine: { show: !number, lineStyle: { color: palette.line } },
            // where a band is one around a difference, zero is what it is held against
            scale: own === 'ratio' || (own === 'share' && !series.some((one) => one.field.low !== null)),
          })
        : {};
    }),
    series: series.flatMap((one, number) =>
      drawn(drawing, one, number, place, Math.max(0, units.indexOf(one.field.column.unit))),
    ),
  };
}

function spanOf(series: Series[], place: (value: Cell) => number): number {
  const all = series.flatMap((one) => one.points.map((point) => place(point.x)));
  return all.length ? all.reduce((a, b) => Math.max(a, b)) - all.reduce((a, b) => Math.min(a, b)) : 0;
}

function drawn(drawing: Drawing, one: Series, number: number, place: (value: Cell) => number, axis: number): Option[] {
  const { palette } = drawing;
  const { field } = one;
  const colour = palette.series[number % palette.series.length];
  const of = (index: number | null): [number, number | null][] =>
    one.points.map((point) => [place(point.x), numberAt(point.row, index)]);
  const lonely = one.points.map((_, index) => isLonely(one.points, index, field.index));
  const hasLonely = lonely.some(Boolean);
  const base = {
    type: 'line',
    yAxisIndex: axis,
    showSymbol: false,
    symbolSize: 6,
    connectNulls: false,
  };
  const found: Option[] = [
    {
      ...base,
      id: one.key,
      name: one.name,
      showSymbol: hasLonely,
      data: of(field.index).map((value, index) => (hasLonely && !lonely[index] ? { value, symbol: 'none' } : value)),
      lineStyle: { width: 2, color: colour },
      itemStyle: { color: colour },
    },
  ];
  const quiet = { ...base, silent: true, showSymbol: false, tooltip: { show: false }, legendHoverLink: false };
  if (field.low !== null && field.high !== null) {
    const stack = `band ${number}`;
    const invisible = { ...quiet, stack, stackStrategy: 'all', lineStyle: { opacity: 0 } };
    const width = one.points.map((point): [number, number | null] => {
      const low = numberAt(point.row, field.low);
      const high = numberAt(point.row, field.high);
      return [place(point.x), low === null || high === null ? null : high - low];
    });
    found.push(
      { ...invisible, id: `${one.key} low`, data: of(field.low) },
      { ...invisible, id: `${one.key} high`, data: width, areaStyle: { color: colour, opacity: 0.16 } },
    );
  }
  if (field.limit !== null) {
    found.push({
      ...quiet,
      id: `${one.key} limit`,
      data: of(field.limit),
      lineStyle: { type: 'dashed', width: 1.5, color: palette.signal.red },
    });
  }
  if (field.previous !== null) {
    found.push({
      ...quiet,
      id: `${one.key} before`,
      data: of(field.previous),
      lineStyle: { type: 'dotted', width: 1.5, color: colour, opacity: 0.7 },
    });
  }
  return found;
}

/** A value without neighbours has no line to be seen by. */
function isLonely(points: Point[], index: number, field: number): boolean {
  const has = (at: number): boolean => numberAt(points[at]?.row ?? [], field) !== null;
  return has(index) && !has(index - 1) && !has(index + 1);
}

function tip(drawing: Drawing, series: Series[], hovered: Hovered[], unit: Unit): string {
  const { panel, format, texts } = drawing;
  const first = hovered[0];
  if (!first) return '';
  const overTime = unit === 'time' || unit === 'day';
  const head = overTime ? format.point(first.axisValue, unit === 'day') : format.value(first.axisValue, unit);
  const told = hovered.flatMap(({ seriesId, dataIndex }) => {
    const one = series.find((candidate) => candidate.key === seriesId);
    const point = one?.points[dataIndex];
    if (!one || !point || point.row.length === 0) return [];
    const { field } = one;
    const say = (index: number | null): string =>
      format.value(index === null ? null : (point.row[index] ?? null), field.column.unit, limitOf(panel, point.row));
    const parts = [`${plain(one.name, 40)}: ${say(field.index)}`];
    if (field.low !== null) parts.push(`(${say(field.low)} – ${say(field.high)})`);
    if (field.limit !== null) parts.push(texts.limit.replace('{value}', say(field.limit)));
    if (field.previous !== null) parts.push(`${texts.beforePeriod} ${say(field.previous)}`);
    return [parts.join(' ')];
  });
  return told.length === 0 ? '' : [head, ...told.slice(0, 14)].join('\n');
}
