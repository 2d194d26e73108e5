/** Headline figures: a big number for each value of one row, its change, its limit; several rows are a table. */
import { Table } from './table';
import { Change, Doubts, Value } from './value';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import { widthOf } from '../logic/width';
import { fieldsOf, isNumber, limitOf, reasonOf, type Field } from '../logic/rows';
import type { Answer, Cell, Panel } from '../types';

export function Figures({ panel, answer }: { panel: Panel; answer: Answer | null }) {
  const { texts, format } = usePage();
  const fields = fieldsOf(panel);
  const labels = fields.filter((field) => field.column.role === 'label');
  const row: Cell[] = answer?.rows[0] ?? [];
  const several = (answer?.rows.length ?? 0) > 1;
  return (
    <>
      <div class={several ? 'figures-of hidden' : 'figures-of'} aria-hidden={several}>
        {labels.length > 0 && (
          <p class="of">
            <bdi>
              {labels.map((field) => answer && format.value(row[field.index] ?? null, 'text')).join(' · ') || '\u00a0'}
            </bdi>
          </p>
        )}
        <dl class="figures">
          {fields.map((field) =>
            field.column.role === 'label' ? null : (
              <Figure key={field.column.name} panel={panel} field={field} row={several ? null : answer && row} />
            ),
          )}
        </dl>
      </div>
      {several && answer && (
        <div class="over">
          <Table panel={panel} answer={answer} />
        </div>
      )}
      {answer?.rows.length === 0 && (
        <p class="unseen" role="status">
          {texts.empty}
        </p>
      )}
    </>
  );
}

function Figure({ panel, field, row }: { panel: Panel; field: Field; row: Cell[] | null }) {
  const { state, texts, format } = usePage();
  const value = row?.[field.index] ?? null;
  const reason = row ? reasonOf(field.column, panel, row) : 'noData'; // one who is not judged yet is said to be, in its place
  const text =
    value !== null
      ? format.value(value, field.column.unit, limitOf(panel, row ?? []))
      : reason === 'unjudged'
        ? texts.none_unjudged
        : '';
  const limit = row && field.limit !== null ? (row[field.limit] ?? null) : null;
  return (
    <div class={isNumber(field.column) ? 'figure' : 'figure wordy'}>
      <dt>{field.column.labels[state.lang]}</dt>
      <dd>
        <span class="big" style={{ '--wide': widthOf(text) }}>
          {row ? <Value panel={panel} field={field} row={row} /> : '\u00a0'}
        </span>
        <span class="small">
          {row && value === null && reason !== 'unjudged' && texts[`none_${reason}`]}
          {row && value !== null && <Change field={field} row={row} />}
          {row && <Doubts panel={panel} field={field} row={row} />}
          {limit !== null && fill(texts.limit, { value: format.value(limit, field.column.unit, limit) })}
        </span>
      </dd>
    </div>
  );
}
