/** The period: a choice of usual ones, or business days of one's own. */
import { useState } from 'preact/hooks';
import { usePage } from '../logic/context';
import { dayOf, midnightOf } from '../logic/time';
import type { Board } from '../types';

const DAY_MS = 86_400_000;

export function Range({ board }: { board: Board }) {
  const { state, texts, go, about, store } = usePage();
  const from = state.from || `latest-${board.latest}`;
  const usual = (state.to === '' || state.to === 'latest') && from.startsWith('latest-') ? from.slice(7) : '';
  const [own, setOwn] = useState(usual === '');
  const choices: Record<string, string> = { ...texts.last };
  if (!(board.latest in choices)) choices[board.latest] = board.latest;
  if (usual !== '' && !(usual in choices)) choices[usual] = usual;
  const choose = (value: string): void => {
    setOwn(value === '');
    if (value !== '') go({ from: value === board.latest ? '' : `latest-${value}`, to: '' });
  };
  const shown = (text: string, fallback: number): string =>
    dayOf(/^\d+$/.test(text) ? Number(text) : Number.isNaN(Date.parse(text)) ? fallback : Date.parse(text), about.zone);
  const newest = store.latest || Date.now();
  const apply = (event: SubmitEvent): void => {
    event.preventDefault();
    const named = (event.currentTarget as HTMLFormElement).elements as unknown as Record<
      'from' | 'to',
      HTMLInputElement
    >;
    const [first, last] = [named.from.value, named.to.value].sort();
    if (!first || !last) return;
    go({ from: String(midnightOf(first, about.zone)), to: String(midnightOf(last, about.zone) + DAY_MS - 1) });
  };
  return (
    <>
      <label class="choice-of">
        {texts.range}
        <select value={own || usual === '' ? '' : usual} onChange={(event) => choose(event.currentTarget.value)}>
          {Object.entries(choices).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
          <option value="">{texts.own}</option>
        </select>
      </label>
      {(own || usual === '') && (
        <form class="days" onSubmit={apply} key={`${state.from} ${state.to}`}>
          <label>
            {texts.from}
            <input type="date" name="from" required defaultValue={shown(state.from, newest - 7 * DAY_MS)} />
          </label>
          <label>
            {texts.to}
            <input type="date" name="to" required defaultValue={shown(state.to, newest)} />
          </label>
          <button type="submit">{texts.apply}</button>
        </form>
      )}
    </>
  );
}
