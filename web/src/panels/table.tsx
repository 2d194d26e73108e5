/** A table of any panel: sorted by any column, searched, paged; its first label leads on, its numbers to their evidence. */
import { useMemo, useState } from 'preact/hooks';
import { Value } from './value';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import { broughtBy, fieldsOf, isNumber, reasonOf, sorted, type Field } from '../logic/rows';
import { drilled } from '../logic/state';
import type { Answer, Cell, Panel } from '../types';

const PAGE = 30;
const SEARCHED_FROM = 12;
const MOST = 5000;
/** A reason that more columns have says itself which. */
const MOST_NAMED = 4;
/** Characters from which on a text wants room. */
const LONG = 32;

export function Table({ panel, answer }: { panel: Panel; answer: Answer }) {
  const { texts, state, format } = usePage();
  const [order, setOrder] = useState<{ index: number; descending: boolean } | null>(null);
  const [words, setWords] = useState('');
  const [page, setPage] = useState(0);
  const fields = useMemo(() => tableFields(panel), [panel]);
  const rows = useMemo(() => {
    const found = words === '' ? answer.rows : answer.rows.filter((row) => matches(row, words));
    return order ? sorted(found, order.index, order.descending, format.locale) : found;
  }, [answer, words, order, format]);
  const last = Math.max(0, Math.ceil(rows.length / PAGE) - 1);
  const first = Math.min(page, last) * PAGE;
  const shown = rows.slice(first, first + PAGE);
  const sort = (field: Field): void => {
    setPage(0);
    setOrder((before) =>
      before?.index !== field.index
        ? { index: field.index, descending: isNumber(field.column) }
        : before.descending === isNumber(field.column)
          ? { index: field.index, descending: !before.descending }
          : null,
    );
  };
  return (
    <div class="table">
      <div class="scrolled" tabIndex={0} role="region" aria-label={panel.titles[state.lang]}>
        <table>
          <thead>
            <tr>
              {fields.map((field) => (
                <Heading key={field.index} field={field} order={order} sort={sort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <Row key={keyOf(panel, row, first + index)} panel={panel} fields={fields} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      <div class="foot">
        {answer.rows.length >= SEARCHED_FROM && (
          <input
            type="search"
            value={words}
            placeholder={texts.find}
            aria-label={texts.find}
            onInput={(event) => {
              setPage(0);
              setWords(event.currentTarget.value);
            }}
          />
        )}
        <Reasons panel={panel} fields={fields} rows={shown} />
        {answer.rows.length >= MOST && <span class="warning">{fill(texts.tooMany, { n: MOST })}</span>}
        {rows.length > PAGE && (
          <span class="pages">
            <span>{fill(texts.rows, { from: first + 1, to: first + shown.length, all: rows.length })}</span>
            <button
              type="button"
              aria-disabled={first === 0}
              onClick={() => setPage(Math.max(0, first / PAGE - 1))}
              aria-label={texts.earlier}
            >
              ‹
            </button>
            <button
              type="button"
              aria-disabled={first / PAGE >= last}
              onClick={() => setPage(Math.min(last, first / PAGE + 1))}
              aria-label={texts.further}
            >
              ›
            </button>
          </span>
        )}
      </div>
    </div>
  );
}

/** A limit is worth a column of its own in a table; a band and a change stand below their value. */
function tableFields(panel: Panel): Field[] {
  return fieldsOf(panel).flatMap((field) => {
    const index = field.limit;
    const column = index === null ? undefined : panel.columns[index];
    return column && index !== null
      ? [field, { column, index, low: null, high: null, limit: null, previous: null }]
      : [field];
  });
}

function matches(row: Cell[], words: string): boolean {
  const wanted = words.toLowerCase();
  return row.some((cell) => typeof cell === 'string' && cell.toLowerCase().includes(wanted));
}

function keyOf(panel: Panel, row: Cell[], index: number): string {
  const hidden = panel.columns.flatMap((column, at) => (column.role === 'hidden' ? [String(row[at])] : []));
  return hidden.length ? hidden.join('\u001f') : String(index);
}

function Heading(props: {
  field: Field;
  order: { index: number; descending: boolean } | null;
  sort: (field: Field) => void;
}) {
  const { state } = usePage();
  const { field, order, sort } = props;
  const mine = order?.index === field.index ? (order.descending ? 'descending' : 'ascending') : 'none';
  return (
    <th scope="col" aria-sort={mine} class={isNumber(field.column) ? 'right' : ''}>
      <button type="button" onClick={() => sort(field)}>
        {field.column.labels[state.lang]}
        <span class="arrow" aria-hidden="true">
          {mine === 'none' ? '↕' : mine === 'ascending' ? '↑' : '↓'}
        </span>
      </button>
    </th>
  );
}

function Row({ panel, fields, row }: { panel: Panel; fields: Field[]; row: Cell[] }) {
  const { state, href, go } = usePage();
  const brought = broughtBy(panel, row);
  const leading = fields.find((field) => field.column.role === 'label') ?? fields[0];
  return (
    <tr>
      {fields.map((field) => {
        const shown = <Value panel={panel} field={field} row={row} inTable />;
        const leads = field === leading && brought && panel.drill;
        const target = leads ? drilled(state, leads.board, brought) : null;
        const inner = target ? (
          <a
            href={href(target)}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              go(target);
            }}
          >
            {shown}
          </a>
        ) : (
          shown
        );
        const value = row[field.index];
        const isLong = typeof value === 'string' && value.length > LONG;
        const size = isLong ? (field.column.language ? 'long told' : 'long') : '';
        const kind = [isNumber(field.column) ? 'right' : '', size, field.column.unit].join(' ');
        return field === leading ? (
          <th key={field.index} scope="row" class={kind}>
            {inner}
          </th>
        ) : (
          <td key={field.index} class={kind}>
            {inner}
          </td>
        );
      })}
    </tr>
  );
}

/** What the dashes on this page of the table mean. */
function Reasons({ panel, fields, rows }: { panel: Panel; fields: Field[]; rows: Cell[][] }) {
  const { texts, state } = usePage();
  const missing = fields.filter(
    ({ column, index }) => column.unit !== 'text' && rows.some((row) => (row[index] ?? null) === null),
  );
  if (missing.length === 0) return null;
  const told = new Map<string, string[]>();
  for (const { column, index } of missing) {
    const nothing = rows.filter((row) => (row[index] ?? null) === null);
    for (const reason of new Set(nothing.map((row) => reasonOf(column, panel, row)))) {
      if (reason === 'unjudged') continue; // it stands in its cell
      const why = texts[`none_${reason}`];
      told.set(why, [...(told.get(why) ?? []), column.labels[state.lang]]);
    }
  }
  if (told.size === 0) return null;
  return (
    <span class="reasons">
      {texts.noNumber}{' '}
      {[...told]
        .map(([why, names]) =>
          names.length > MOST_NAMED ? why : `${names.map((name) => fill(texts.quoted, { name })).join(', ')}: ${why}`,
        )
        .join(' · ')}
    </span>
  );
}
