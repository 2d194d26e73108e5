/** Headline figures: one row, a big number for each value, its change, its limit. */
import { Change, Value } from './value';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import { fieldsOf, isNumber, reasonOf } from '../logic/rows';
import type { Answer, Cell, Panel } from '../types';

export function Figures({ panel, answer }: { panel: Panel; answer: Answer | null }) {
  const { state, texts, format } = usePage();
  const row: Cell[] = answer?.rows[0] ?? [];
  return (
    <dl class="figures">
      {fieldsOf(panel).map((field) => {
        const value = row[field.index] ?? null;
        const limit = field.limit === null ? null : (row[field.limit] ?? null);
        return (
          <div key={field.column.name} class={isNumber(field.column) ? 'figure' : 'figure wordy'}>
            <dt>{field.column.labels[state.lang]}</dt>
            <dd>
              <span class="big">{answer ? <Value panel={panel} field={field} row={row} /> : ' '}</span>
              <span class="small">
                {answer && value === null && texts[`none_${reasonOf(field.column)}`]}
                {answer && value !== null && <Change field={field} row={row} />}
                {limit !== null && fill(texts.limit, { value: format.value(limit, field.column.unit) })}
              </span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
