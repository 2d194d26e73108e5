/** A funnel: steps one below the other, each as long as its share of the largest, with what is left of the step before. */
import { Value, Word } from './value';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import { telling } from '../charts/series';
import { fieldsOf, type Field } from '../logic/rows';
import type { Answer, Cell, Panel } from '../types';

interface Step {
  label: preact.ComponentChildren;
  /** Of the steps before it: what they are a part of. */
  first: number | null;
  value: number | null;
  field: Field;
  row: Cell[];
}

export function Funnel({ panel, answer }: { panel: Panel; answer: Answer }) {
  const { texts, format, state } = usePage();
  const steps = stepsOf(panel, answer.rows, state.lang);
  const largest = Math.max(1e-9, ...steps.map((step) => step.value ?? 0));
  const share = (value: number | null, of: number | null): string =>
    format.value(value === null || !of ? null : value / of, 'share');
  return (
    <div class="scrolled" tabIndex={0} role="region" aria-label={panel.titles[state.lang]}>
      <ol class="funnel">
        {steps.map((step, index) => (
          <li key={index}>
            <span class="step">{step.label}</span>
            <span class="track" aria-hidden="true">
              <span class="part" style={{ width: `${((step.value ?? 0) / largest) * 100}%` }} />
            </span>
            <span class="amount">
              <Value panel={panel} field={step.field} row={step.row} />
            </span>
            <span class="left">{index > 0 && fill(texts.ofFirst, { share: share(step.value, step.first) })}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** A row each, by their labels; or one row whose values are the steps. */
function stepsOf(panel: Panel, rows: Cell[][], lang: 'en' | 'zh'): Step[] {
  const fields = fieldsOf(panel);
  const labels = fields.filter((field) => field.column.role === 'label' || field.column.role === 'x');
  const values = fields.filter((field) => field.column.role === 'value');
  const number = (value: Cell | undefined): number | null => (typeof value === 'number' ? value : null);
  const [field] = values;
  if (!field) return [];
  if (labels.length === 0) {
    const row = rows[0] ?? [];
    const first = number(row[field.index]);
    return values.map((one) => ({
      label: one.column.labels[lang],
      value: number(row[one.index]),
      field: one,
      row,
      first,
    }));
  }
  const told = telling(labels, rows);
  const groups = told.slice(0, -1);
  const firsts = new Map<string, number | null>();
  return rows.map((row) => {
    const group = groups.map((one) => String(row[one.index])).join('\u001f');
    const value = number(row[field.index]);
    if (!firsts.has(group)) firsts.set(group, value);
    return { label: <Label fields={told} row={row} />, value, field, row, first: firsts.get(group) ?? null };
  });
}

function Label({ fields, row }: { fields: Field[]; row: Cell[] }) {
  const { format } = usePage();
  return (
    <>
      {fields.map(({ column, index }) => {
        const said = String(row[index] ?? '–');
        const text = format.value(said, 'text');
        return column.unit === 'state' ? <Word key={index} word={said} /> : <bdi key={index}>{text} </bdi>;
      })}
    </>
  );
}
