/** A funnel: steps one below the other, each as long as its share of the largest, with what is left of the step before. */
import { Value, Word } from './value';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import { fieldsOf, type Field } from '../logic/rows';
import type { Answer, Cell, Panel } from '../types';

interface Step {
  label: preact.ComponentChildren;
  value: number | null;
  field: Field;
  row: Cell[];
}

export function Funnel({ panel, answer }: { panel: Panel; answer: Answer }) {
  const { texts, format } = usePage();
  const steps = stepsOf(panel, answer.rows, usePage().state.lang);
  const largest = Math.max(1e-9, ...steps.map((step) => step.value ?? 0));
  const first = steps[0]?.value ?? null;
  const share = (value: number | null, of: number | null): string =>
    format.value(value === null || !of ? null : value / of, 'share');
  return (
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
          <span class="left" title={fill(texts.ofFirst, { share: share(step.value, first) })}>
            {index > 0 && fill(texts.ofPrevious, { share: share(step.value, steps[index - 1]?.value ?? null) })}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** A row each, by their labels; or one row whose values are the steps. */
function stepsOf(panel: Panel, rows: Cell[][], lang: 'en' | 'zh'): Step[] {
  const fields = fieldsOf(panel);
  const labels = fields.filter((field) => field.column.role === 'label' || field.column.role === 'x');
  const values = fields.filter((field) => field.column.role === 'value');
  const number = (value: Cell | undefined): number | null => (typeof value === 'number' ? value : null);
  const [label] = labels;
  if (!label) {
    const row = rows[0] ?? [];
    return values.map((field) => ({ label: field.column.labels[lang], value: number(row[field.index]), field, row }));
  }
  const [field] = values;
  if (!field) return [];
  return rows.map((row) => {
    const said = String(row[label.index] ?? '–');
    const shown = label.column.unit === 'state' ? <Word word={said} /> : <bdi>{said}</bdi>;
    return { label: shown, value: number(row[field.index]), field, row };
  });
}
