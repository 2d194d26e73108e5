/** A chart of ECharts: drawn when it is seen, again when its numbers, the theme, the language or its size change. */
import { useEffect, useRef } from 'preact/hooks';
import type { ECharts } from '../charts/echarts';
import { tellingLabel } from '../charts/series';
import { optionOf } from '../charts/options';
import { paletteOf } from '../charts/palette';
import { usePage, worded } from '../logic/context';
import { fill } from '../logic/i18n';
import { broughtBy } from '../logic/rows';
import type { Answer, Panel } from '../types';

export function Chart({ panel, answer }: { panel: Panel; answer: Answer }) {
  const page = usePage();
  const { texts, format, go, state } = page;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const draw = useRef<() => void>(() => undefined);

  draw.current = () => {
    if (!chart.current || !place.current) return;
    const option = optionOf({
      panel,
      answer,
      format,
      texts,
      lang: state.lang,
      palette: paletteOf(place.current),
      width: place.current.clientWidth,
      height: place.current.clientHeight,
      word: (word) => worded(page, word),
    });
    chart.current.setOption(option, { replaceMerge: ['series', 'xAxis', 'yAxis'] });
  };

  useEffect(() => {
    let gone = false;
    const element = place.current;
    if (!element) return;
    const resized = new ResizeObserver(() => {
      chart.current?.resize();
      draw.current();
    });
    void import('../charts/echarts').then(({ init }) => {
      if (gone) return;
      chart.current = init(element, null, { renderer: 'canvas' });
      draw.current();
      resized.observe(element);
      element.dataset.drawn = 'yes';
    });
    return () => {
      gone = true;
      resized.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => draw.current(), [panel, answer, format, texts, state.theme]);

  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => draw.current();
    dark.addEventListener('change', redraw);
    return () => dark.removeEventListener('change', redraw);
  }, []);

  const follow = (event: MouseEvent): void => {
    const row = rowAt(chart.current, answer, panel, event);
    const brought = row && broughtBy(panel, row);
    if (brought && panel.drill) go({ board: panel.drill.board, values: asLists(brought, state.values.run) });
  };

  const text = fill(texts.chartText, { title: panel.titles[state.lang], n: answer.columns.length });
  return (
    <div class={panel.drill ? 'chart leads' : 'chart'} ref={place} role="img" aria-label={text} onClick={follow} />
  );
}

function asLists(brought: Record<string, string>, run: string[] | undefined): Record<string, string[]> {
  const lists = Object.fromEntries(Object.entries(brought).map(([name, value]) => [name, [value]]));
  return run ? { run, ...lists } : lists;
}

/** Returns the row under the pointer of a chart whose categories are one label each; the others lead by their table. */
function rowAt(chart: ECharts | null, answer: Answer, panel: Panel, event: MouseEvent) {
  if (!chart || panel.chart !== 'bars') return null;
  const label = tellingLabel(panel, answer.rows);
  const found: unknown = chart.convertFromPixel({ gridIndex: 0 }, [event.offsetX, event.offsetY]);
  if (!Array.isArray(found) || label < 0) return null;
  const keys = [...new Set(answer.rows.map((row) => String(row[label] ?? null)))];
  const key = keys[Math.round(Number(found[1]))];
  return answer.rows.find((row) => String(row[label] ?? null) === key) ?? null;
}
