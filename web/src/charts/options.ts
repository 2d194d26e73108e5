/** A panel's definition and its numbers as what ECharts draws. Pure. */
import { bars } from './bars';
import { heatmap } from './heatmap';
import { lines } from './lines';
import { regions } from './regions';
import type { Palette } from './palette';
import { shorten } from '../logic/shorten';
import type { Format } from '../logic/format';
import type { Texts } from '../logic/i18n';
import type { Answer, Cell, Colour, Column, Lang, Panel } from '../types';

export interface Drawing {
  panel: Panel;
  answer: Answer;
  format: Format;
  texts: Texts;
  lang: Lang;
  palette: Palette;
  /** Pixels; narrow charts leave out what does not fit. */
  width: number;
  height: number;
  /** Text and colour of a word of unit `state`. */
  word: (word: string) => { text: string; colour: Colour };
}

export type Option = Record<string, unknown>;

export const FONT =
  'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';

export function optionOf(drawing: Drawing): Option {
  const draw = { time: lines, line: lines, bars, heatmap, regions }[drawing.panel.chart as 'time'];
  const { palette } = drawing;
  return {
    animation: false,
    useUTC: true,
    color: palette.series,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: FONT, color: palette.ink },
    ...draw(drawing),
  };
}

export function written(drawing: Drawing, value: Cell, column: Column): string {
  if (column.unit === 'state' && typeof value === 'string' && value !== '') return drawing.word(value).text;
  return drawing.format.value(value, column.unit);
}

/** Tooltips are drawn on the canvas: as HTML they would need styles that the page's policy refuses. */
export function tooltip(drawing: Drawing, more: Option): Option {
  const { palette } = drawing;
  return {
    renderMode: 'richText',
    confine: true,
    backgroundColor: palette.card,
    borderColor: palette.line,
    textStyle: { color: palette.ink, fontSize: 12, fontFamily: FONT },
    ...more,
  };
}

export function valueAxis(drawing: Drawing, column: Column, more: Option = {}): Option {
  const { palette, format } = drawing;
  return {
    type: 'value',
    axisLabel: {
      color: palette.faint,
      hideOverlap: true,
      formatter: (value: number) => format.value(value, column.unit),
    },
    splitLine: { lineStyle: { color: palette.line } },
    axisLine: { show: false },
    ...more,
  };
}

export function legend(drawing: Drawing, names: string[]): Option {
  const { palette } = drawing;
  return {
    show: names.length > 1,
    type: 'scroll',
    top: 0,
    left: 0,
    itemWidth: 14,
    itemHeight: 8,
    data: names.slice(0, 12),
    textStyle: { color: palette.ink, width: 220, overflow: 'truncate', fontSize: 12 },
    pageTextStyle: { color: palette.faint },
    pageIconColor: palette.ink,
    pageIconInactiveColor: palette.line,
    inactiveColor: palette.faint,
  };
}

/** What stands before a word in braces, so that it is none of richtext's marks: of no width, and broken nowhere. */
const JOINER = '\u2060';

/** Returns a name in one line; richtext has markup of its own, `{style|text}`, that names must not be taken for. */
export function plain(text: string, longest = 60): string {
  return shorten(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), longest).replace(/\{(?=\w+\|)/g, `{${JOINER}`);
}
