/** Choices of the address that are not there: which, and what to do; an empty board would say nothing. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask } from '../logic/api';
import { usePage, useWhenChanged } from '../logic/context';
import { fill } from '../logic/i18n';
import { alike } from '../logic/likeness';
import { shorten } from '../logic/shorten';
import type { AlertRow, Board, Choice, Variable } from '../types';

const LONGEST = 60;
/** Told one by one. */
const MOST_TOLD = 5;
/** A list that is cut off says nothing of what is missing in it. */
const MOST_LISTED = 5000;

export interface Strange {
  variable: Variable;
  values: string[];
  choices: Choice[];
  /** Nothing that is known is chosen beside them: every panel would be empty. */
  isAll: boolean;
}

/** Returns the board's choices that are none of those there are; an empty list while that is not known. */
export function useStrange(board: Board | undefined): Strange[] {
  const { state } = usePage();
  const [found, setFound] = useState<{ of: string; strange: Strange[] }>({ of: '', strange: [] });
  const run = state.values.run?.[0] ?? 'live';
  const chosen = (board?.variables ?? []).filter(
    ({ name, multiple }) => multiple && (state.values[name]?.length ?? 0) > 0,
  );
  const of = JSON.stringify([run, chosen.map(({ name }) => [name, state.values[name]])]);
  const look = useCallback(async () => {
    const all = await Promise.all(
      chosen.map(async (variable) => {
        const choices = await ask<Choice[]>(
          `api/variables/${variable.name}?${new URLSearchParams({ run }).toString()}`,
        );
        const there = new Set(choices.map((one) => one.value));
        const wanted = state.values[variable.name] ?? [];
        const missing = choices.length < MOST_LISTED ? wanted.filter((value) => !there.has(value)) : [];
        const alerted = await Promise.all(missing.map((value) => isAlerted(variable.name, value)));
        const values = missing.filter((_, index) => !alerted[index]);
        return { variable, values, choices, isAll: values.length === wanted.length };
      }),
    );
    setFound({ of, strange: all.filter(({ values }) => values.length > 0) });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `of` says everything that is looked at
  }, [of]);
  useEffect(() => void look().catch(() => undefined), [look]);
  const isStrange = found.of === of && found.strange.length > 0;
  useWhenChanged(useCallback(() => (isStrange ? look().catch(() => undefined) : Promise.resolve()), [isStrange, look]));
  return isStrange ? found.strange : [];
}

/** A campaign that has an alert is one, whatever else is known of it. */
async function isAlerted(variable: string, value: string): Promise<boolean> {
  if (variable !== 'campaign') return false;
  return (await ask<AlertRow[]>(`api/alerts?campaign=${encodeURIComponent(value)}`)).length > 0;
}

export function Unknown({ strange }: { strange: Strange[] }) {
  return (
    <>
      {strange.map((one) => (
        <OfOne key={one.variable.name} strange={one} />
      ))}
    </>
  );
}

function OfOne({ strange: { variable, values, choices } }: { strange: Strange }) {
  const { state, texts, go } = usePage();
  const run = state.values.run?.[0] ?? 'live';
  const chosen = state.values[variable.name] ?? [];
  const set = (next: string[]): void => go({ values: { ...state.values, [variable.name]: next } });
  const known = chosen.filter((value) => !values.includes(value));
  const name = variable.labels[state.lang];
  const [first] = values;
  const meant = values.length === 1 && first !== undefined ? alike(first, choices) : [];
  return (
    <div class="notice failed unknown" role="alert" data-unknown={variable.name}>
      <p>
        <strong>{fill(texts.unknown[run === 'live' ? 'live' : 'run'], { name, run })}</strong>{' '}
        {values.slice(0, MOST_TOLD).map((value) => (
          <code key={value}>
            <bdi>{shorten(value, LONGEST)}</bdi>
          </code>
        ))}
        {values.length > MOST_TOLD && ` +${values.length - MOST_TOLD}`}
      </p>
      <p>{fill(texts.unknownRemedy, { name })}</p>
      <p class="row">
        {meant.map((one) => (
          <button key={one.value} type="button" onClick={() => set([...known, one.value])}>
            {fill(texts.meant, { what: shorten(one.text, LONGEST) })}
          </button>
        ))}
        <button type="button" onClick={() => set(known)}>
          {known.length > 0 ? texts.withoutIt : texts.all}
        </button>
      </p>
    </div>
  );
}
