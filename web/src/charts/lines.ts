/** Lines over time or over a number, with bands, limits and the period before. */
import { legend, plain, tooltip, valueAxis, written, type Drawing, type Option } from './options';
import { cut, numberAt, type Series } from './series';
import type { Cell, Unit } from '../types';

interface Hovered {
  seriesId?: string;
  axisValue: number;
  dataIndex: number;
}

export function lines(drawing: Drawing): Option {
  const { panel, answer, format, palette, lang } = drawing;
  const isTime = panel.chart === 'time';
  const { x, series } = cut(panel, answer.rows, isTime ? ['time'] : ['x', 'time'], lang, (value, column) =>
    plain(written(drawing, value, column), 40),
  );
  const unit: Unit = x?.column.unit ?? 'count';
  const overTime = unit === 'time' || unit === 'day';
  const place = (value: Cell): number =>
    overTime && typeof value === 'string' ? format.wall(value, unit) : Number(value);
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
      name: overTime ? undefined : x?.column.labels[lang],
      nameLocation: 'middle',
      nameGap: 24,
      nameTextStyle: { color: palette.faint },
      axisLabel: {
        color: palette.faint,
        hideOverlap: true,
        formatter: (value: number) => (overTime ? format.axis(value, span) : format.value(value, unit)),
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
  const base = {
    type: 'line',
    yAxisIndex: axis,
    showSymbol: one.points.length < 3,
    symbolSize: 6,
    connectNulls: false,
  };
  const found: Option[] = [
    {
      ...base,
      id: one.key,
      name: one.name,
      data: of(field.index),
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

function tip(drawing: Drawing, series: Series[], hovered: Hovered[], unit: Unit): string {
  const { format, texts } = drawing;
  const first = hovered[0];
  if (!first) return '';
  const overTime = unit === 'time' || unit === 'day';
  const head = overTime ? format.point(first.axisValue, unit === 'day') : format.value(first.axisValue, unit);
  const told = hovered.flatMap(({ seriesId, dataIndex }) => {
    const one = series.find((candidate) => candidate.key === seriesId);
    const point = one?.points[dataIndex];
    if (!one || !point) return [];
    const { field } = one;
    const say = (index: number | null): string =>
      format.value(index === null ? null : (point.row[index] ?? null), field.column.unit);
    const parts = [`${plain(one.name, 40)}: ${say(field.index)}`];
    if (field.low !== null) parts.push(`(${say(field.low)} – ${say(field.high)})`);
    if (field.limit !== null) parts.push(texts.limit.replace('{value}', say(field.limit)));
    if (field.previous !== null) parts.push(`${texts.beforePeriod} ${say(field.previous)}`);
    return [parts.join(' ')];
  });
  return [head, ...told.slice(0, 14)].join('\n');
}
