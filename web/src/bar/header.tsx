/** The top of the page: boards, choices, whether the numbers are live, language, theme, who looks. */
import { useEffect, useState } from 'preact/hooks';
import { Range } from './range';
import { VariableChoice } from './variables';
import { ask } from '../logic/api';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import type { Theme } from '../logic/state';
import { isOpen } from '../drawers/alerts';
import type { AlertRow, Board } from '../types';

const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };
const MARK: Record<Theme, string> = { auto: '◐', light: '☀', dark: '☾' };
const COUNT_MS = 15_000;
const TICK_MS = 1000;

export function Header({ board, signOut }: { board: Board; signOut: () => void }) {
  const { boards, state, texts, go, href, who, signIn } = usePage();
  const values = state.values.run ? { run: state.values.run } : {};
  const other = state.lang === 'en' ? 'zh' : 'en';
  return (
    <header class="top">
      <a class="skip" href="#board">
        {texts.skip}
      </a>
      <div class="line">
        <strong class="product">{texts.product}</strong>
        <nav aria-label={texts.boards}>
          {boards.map((one) => {
            const target = {
              board: one.id,
              values: one.id === board.id ? state.values : values,
              alert: '',
              list: false,
              explain: '',
              metric: '',
            };
            return (
              <a
                key={one.id}
                href={href(target)}
                aria-current={one.id === board.id ? 'page' : undefined}
                onClick={(event) => {
                  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                  event.preventDefault();
                  go(target);
                }}
              >
                {one.titles[state.lang]}
              </a>
            );
          })}
        </nav>
        <span class="tools">
          <AlertCount />
          <button
            type="button"
            lang={other === 'zh' ? 'zh-CN' : 'en'}
            aria-label={texts.languageName}
            onClick={() => go({ lang: other })}
          >
            {texts.language}
          </button>
          <button
            type="button"
            aria-label={texts.theme[state.theme]}
            title={texts.theme[state.theme]}
            onClick={() => go({ theme: NEXT[state.theme] }, true)}
          >
            {MARK[state.theme]}
          </button>
          {who.name === null ? (
            <button type="button" onClick={signIn}>
              {texts.signIn}
            </button>
          ) : (
            <button type="button" onClick={signOut} title={texts.signOut}>
              {fill(texts.signedIn, { name: who.name, role: texts.roles[who.role] })}
            </button>
          )}
        </span>
      </div>
      <div class="line choices">
        <Range board={board} key={board.id} />
        {board.variables.map((variable) => (
          <VariableChoice key={variable.name} variable={variable} />
        ))}
        <Live />
      </div>
    </header>
  );
}

/** Whether the numbers on the page are those of now, in words. */
function Live() {
  const { store, state, texts, format, about } = usePage();
  const [, draw] = useState(0);
  useEffect(() => store.subscribe('', () => draw((count) => count + 1)), [store]);
  useEffect(() => {
    const clock = setInterval(() => draw((count) => count + 1), TICK_MS);
    return () => clearInterval(clock);
  }, []);
  const { live } = store;
  const [run] = state.values.run ?? [];
  const isReplay = run !== undefined && run !== 'live' && (live.state === 'live' || live.state === 'quiet');
  const shown = isReplay ? 'replay' : live.state;
  const since = 'since' in live ? live.since : 0;
  const age = format.value(Math.max(0, Math.floor((Date.now() - since) / 1000)), 'seconds');
  const words = { at: format.clock(since), run: run ?? '', age };
  return (
    <span class="live-line">
      <span
        class={`live ${shown}`}
        role="status"
        data-live={shown}
        title={shown === 'quiet' ? fill(texts.quietHelp, words) : undefined}
      >
        <i aria-hidden="true" /> {fill(texts[shown], words)}
      </span>
      <span class="newest" title={fill(texts.times, { zone: about.zone })}>
        {store.latest ? `${fill(texts.newest, { at: format.instant(store.latest, true) })} (${about.zone})` : '\u00a0'}
      </span>
    </span>
  );
}

function AlertCount() {
  const { texts, go, store } = usePage();
  const [count, setCount] = useState<number | null>(null);
  useEffect(() => {
    const look = (): void => {
      ask<AlertRow[]>('api/alerts')
        .then((all) => setCount(all.filter((one) => isOpen(one) && one.state !== 'decided').length))
        .catch(() => undefined);
    };
    look();
    const again = setInterval(look, COUNT_MS);
    return () => clearInterval(again);
  }, [store]);
  return (
    <button
      type="button"
      class={count ? 'bell some' : 'bell'}
      onClick={() => go({ list: true, alert: '', explain: '' })}
      title={count === null ? texts.alerts : fill(texts.alertsOpen, { n: count })}
    >
      {texts.alerts} <b>{count ?? '–'}</b>
    </button>
  );
}
