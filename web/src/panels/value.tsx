/** One value as tables and headline figures show it: with its colour, its band, its change and its evidence. */
import { Sparkline } from './sparkline';
import { usePage, worded, type Page } from '../logic/context';
import { exactOf } from '../logic/exact';
import { NONE } from '../logic/format';
import { fill } from '../logic/i18n';
import { colourOf, doubtsOf, explainedBy, isNumber, isUnjudged, limitOf, reasonOf, type Field } from '../logic/rows';
import type { Cell, Column, Panel } from '../types';

/** What nobody knows, and why. */
export function None({ column, panel, row }: { column: Column; panel?: Panel; row?: Cell[] }) {
  const { texts } = usePage();
  const reason = reasonOf(column, panel, row);
  const why = texts[`none_${reason}`];
  if (reason === 'unjudged') return <span class="none">{why}</span>;
  return (
    <abbr class="none" title={why}>
      <span aria-hidden="true">{NONE}</span>
      <span class="unseen">{why}</span>
    </abbr>
  );
}

/** A word of a state as a coloured mark with its text. */
export function Word({ word }: { word: string }) {
  const { text, colour } = worded(usePage(), word);
  return <span class={`word ${colour}`}>{text}</span>;
}

export function Value(props: { panel: Panel; field: Field; row: Cell[]; inTable?: boolean }) {
  const page = usePage();
  const { panel, field, row, inTable = false } = props;
  const { column } = field;
  const value = row[field.index] ?? null;
  if (column.unit === 'series') return <Sparkline values={value} column={column} />;
  if (value === null || value === '') return <None column={column} panel={panel} row={row} />;
  if (column.unit === 'state') return <State panel={panel} row={row} word={String(value)} />;
  if (!isNumber(column)) return <bdi title={String(value)}>{page.format.value(value, column.unit)}</bdi>;
  const isDoubted = doubtsOf(panel, field, row).length > 0;
  const found = field.limit !== null && isUnjudged(panel, row) ? 'grey' : colourOf(field, row);
  const colour = isDoubted && found === 'green' ? 'grey' : found;
  const limit = limitOf(panel, row);
  const exact = page.format.exact(exactOf(row, field.index), column.unit, limit);
  const shown = (
    <span class={colour ? `signal ${colour}` : ''} title={exact}>
      {page.format.value(value, column.unit, limit)}
      {colour && <span class="unseen"> {judged(page, field, colour)}</span>}
    </span>
  );
  return (
    <>
      <Evident panel={panel} column={column} row={row}>
        {shown}
      </Evident>
      <Band panel={panel} field={field} row={row} />
      {inTable && <Change field={field} row={row} />}
      {inTable && <Doubts panel={panel} field={field} row={row} />}
    </>
  );
}

function judged({ texts }: Page, field: Field, colour: 'red' | 'amber' | 'green' | 'grey' | 'blue'): string {
  if (field.limit === null) return texts.steps[colour];
  if (colour === 'grey') return texts.unjudged;
  return colour === 'red' ? texts.below : colour === 'amber' ? texts.close_to : '';
}

/** A number that opens what is behind it, where the panel says of which campaign it is. */
function Evident(props: { panel: Panel; column: Column; row: Cell[]; children: preact.ComponentChildren }) {
  const { go, texts } = usePage();
  const { panel, column, row, children } = props;
  const campaign = explainedBy(panel, row);
  if (campaign === '' || column.role !== 'value') return <>{children}</>;
  const open = (): void => go({ explain: campaign, metric: column.name, alert: '', list: false });
  return (
    <button type="button" class="number" title={texts.evidence} onClick={open} data-explains={column.name}>
      {children}
    </button>
  );
}

function State({ panel, row, word }: { panel: Panel; row: Cell[]; word: string }) {
  const { go, texts, store } = usePage();
  const at = panel.columns.findIndex((column) => column.name === 'alert_id');
  const alert = at < 0 ? null : row[at];
  const campaign = explainedBy(panel, row);
  if (!alert && campaign === '') return <Word word={word} />;
  const open = (): void => {
    if (typeof alert === 'string' && alert !== '') go({ alert, list: false, explain: '' });
    else void store.alertOf(campaign).then((found) => found && go({ alert: found, list: false, explain: '' }));
  };
  return (
    <button type="button" class="number" title={texts.openAlert} onClick={open} data-alert="">
      <Word word={word} />
    </button>
  );
}

/** How many are left out of a value because nobody can tell yet; pointing at it tells of what kinds. */
export function Doubts({ panel, field, row }: { panel: Panel; field: Field; row: Cell[] }) {
  const { state, texts, format } = usePage();
  const doubts = doubtsOf(panel, field, row);
  if (doubts.length === 0) return null;
  const told = doubts.map(([column, count]) => `${column.labels[state.lang]} ${format.value(count, column.unit)}`);
  const all = doubts.reduce((sum, [, count]) => sum + count, 0);
  return (
    <span class="doubts" title={told.join(' · ')}>
      {fill(texts.notJudged, { n: format.value(all, 'count') })}
      <span class="unseen">{` (${told.join(' · ')})`}</span>
    </span>
  );
}

/** The band around a value and its limit, smaller. */
function Band({ panel, field, row }: { panel: Panel; field: Field; row: Cell[] }) {
  const { format, texts } = usePage();
  const of = (index: number | null): Cell => (index === null ? null : (row[index] ?? null));
  const [low, high] = [of(field.low), of(field.high)];
  if (low === null || high === null) return null;
  const write = (value: Cell): string => format.value(value, field.column.unit, limitOf(panel, row));
  return (
    <span class="band" title={texts.band}>
      {fill(texts.upTo, { low: write(low), high: write(high) })}
    </span>
  );
}

export function Change({ field, row }: { field: Field; row: Cell[] }) {
  const { format, texts } = usePage();
  if (field.previous === null) return null;
  const before = row[field.previous] ?? null;
  const change = format.change(row[field.index] ?? null, before);
  if (change === null) return <span class="change none">{texts.noBefore}</span>;
  const mark = change.startsWith('+') ? '▲' : change.startsWith('-') || change.startsWith('−') ? '▼' : '■';
  return (
    <span
      class="change"
      title={`${texts.beforePeriod}: ${format.exact(exactOf(row, field.previous), field.column.unit)}`}
    >
      <span aria-hidden="true">{mark}</span> {change} <span class="against">{texts.vsBefore}</span>
    </span>
  );
}
