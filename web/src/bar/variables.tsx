/** The choices of a board: one value, or several to be ticked. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../logic/api';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import { nameOf } from '../logic/seen';
import { shorten } from '../logic/shorten';
import type { Choice, Variable } from '../types';

const MOST_SHOWN = 200;
const LONGEST = 60;

export function useChoices(name: string, run: string): Choice[] {
  const [choices, setChoices] = useState<Choice[]>([]);
  useEffect(() => {
    const controller = new AbortController();
    const query = new URLSearchParams(name === 'run' ? {} : { run });
    ask<Choice[]>(`api/variables/${name}?${query.toString()}`, { signal: controller.signal })
      .then(setChoices)
      .catch(() => undefined);
    return () => controller.abort();
  }, [name, run]);
  return choices;
}

/** Returns what writes a choice so that it can be seen. */
function useTold(): (choice: Choice) => string {
  const { format } = usePage();
  return ({ text, value }) => format.value(nameOf(text, value), 'text');
}

export function VariableChoice({ variable }: { variable: Variable }) {
  const { state, go } = usePage();
  const run = state.values.run?.[0] ?? 'live';
  const choices = useChoices(variable.name, run);
  const chosen = state.values[variable.name] ?? [];
  const set = (values: string[]): void =>
    go({ values: { ...state.values, [variable.name]: values }, alert: '', explain: '' });
  return !variable.multiple ? (
    <One
      variable={variable}
      choices={choices}
      chosen={chosen[0] ?? ''}
      set={(value) => set(value === '' ? [] : [value])}
    />
  ) : (
    <Several variable={variable} choices={choices} chosen={chosen} set={set} />
  );
}

function One(props: { variable: Variable; choices: Choice[]; chosen: string; set: (value: string) => void }) {
  const { state, texts, format } = usePage();
  const told = useTold();
  const { variable, choices, chosen, set } = props;
  const shown = chosen || variable.default;
  const known = choices.some((choice) => choice.value === shown);
  return (
    <label class="choice-of">
      {variable.labels[state.lang]}
      <select
        name={variable.name}
        value={shown}
        onChange={(event) => set(event.currentTarget.value === variable.default ? '' : event.currentTarget.value)}
      >
        {variable.default === '' && <option value="">{texts.newestKept}</option>}
        {!known && shown !== '' && <option value={shown}>{shorten(format.value(shown, 'text'), LONGEST)}</option>}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {shorten(told(choice), LONGEST)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Several(props: { variable: Variable; choices: Choice[]; chosen: string[]; set: (values: string[]) => void }) {
  const { state, texts } = usePage();
  const told = useTold();
  const { variable, choices, chosen, set } = props;
  const [words, setWords] = useState('');
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const away = (event: Event): void => {
      const inside = event.target instanceof Node && details.current?.contains(event.target);
      if (details.current?.open && !inside) details.current.open = false;
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('focusin', away);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('focusin', away);
    };
  }, []);
  const wanted = words.toLowerCase();
  const shown = choices.filter((choice) => `${choice.text} ${choice.value}`.toLowerCase().includes(wanted));
  const name = variable.labels[state.lang];
  const [only] = chosen;
  const summary =
    only === undefined
      ? texts.all
      : chosen.length > 1
        ? fill(texts.chosen, { n: chosen.length })
        : shorten(told(choices.find((choice) => choice.value === only) ?? { value: only, text: only }), LONGEST);
  const toggle = (value: string): void =>
    set(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  const close = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !details.current?.open) return;
    details.current.open = false;
    details.current.querySelector('summary')?.focus();
  };
  return (
    <details class="several" ref={details} onKeyDown={close} data-variable={variable.name}>
      <summary>
        {name} <b>{summary}</b>
      </summary>
      <div class="sheet">
        <div class="row">
          <input
            type="search"
            value={words}
            placeholder={texts.search}
            aria-label={`${texts.search}: ${name}`}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          <button type="button" disabled={chosen.length === 0} onClick={() => set([])}>
            {texts.clear}
          </button>
        </div>
        <ul>
          {shown.slice(0, MOST_SHOWN).map((choice) => (
            <li key={choice.value}>
              <label>
                <input
                  type="checkbox"
                  value={choice.value}
                  checked={chosen.includes(choice.value)}
                  onChange={() => toggle(choice.value)}
                />
                <bdi>{shorten(told(choice), LONGEST)}</bdi>
              </label>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
