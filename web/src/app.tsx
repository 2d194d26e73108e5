/** The whole page: what it knows, which board it shows, and what is open beside it. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { askFaults, Faults } from './bar/faults';
import { Header } from './bar/header';
import { Unknown, useStrange } from './bar/unknown';
import { Alert } from './drawers/alert';
import { AlertList } from './drawers/alerts';
import { Drawer } from './drawers/drawer';
import { Evidence } from './drawers/evidence';
import { SignIn } from './drawers/sign-in';
import { ApiError, ask, keepToken, sentences, token } from './logic/api';
import { PageProvider, usePage, useWhenChanged, type Page } from './logic/context';
import { dropDraft } from './logic/drafts';
import { Format } from './logic/format';
import { TEXTS } from './logic/i18n';
import { isJudged, readIn } from './logic/rows';
import { nameOf } from './logic/seen';
import { boardOf, broughtTo, readState, viewOf, writeState, type State } from './logic/state';
import { newest, Store } from './logic/store';
import { Elsewhere, Panel } from './panels/panel';
import { Word } from './panels/value';
import type { About, AlertRow, Board, Fault, Panel as Definition, WhoAmI, WordList } from './types';

interface Known {
  about: About;
  words: WordList;
  boards: Board[];
  panels: Map<string, Definition>;
  who: WhoAmI;
  faults: Fault[];
}

/** So long the first view waits to be told what is at fault: it moves nothing when it comes with it. */
const PATIENCE_MS = 400;

async function learn(): Promise<Known> {
  const faults = Promise.race([
    askFaults().catch(() => []),
    new Promise<Fault[]>((resume) => setTimeout(() => resume([]), PATIENCE_MS)),
  ]);
  const [about, words, boards, panels, who] = await Promise.all([
    ask<About>('api/about'),
    ask<WordList>('api/words'),
    ask<Board[]>('api/boards'),
    ask<Definition[]>('api/panels'),
    ask<WhoAmI>('api/whoami'),
  ]);
  return { about, words, boards, panels: new Map(panels.map((panel) => [panel.id, panel])), who, faults: await faults };
}

function useAddress(): [
  State,
  (change: Partial<State>, replace?: boolean) => void,
  (change: Partial<State>) => string,
] {
  const [state, setState] = useState(() => readState(location.search, navigator.language));
  useEffect(() => {
    const back = (): void => setState(readState(location.search, navigator.language));
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  const go = (change: Partial<State>, replace = false): void =>
    setState((before) => {
      const next = { ...before, ...change };
      const address = writeState(next, navigator.language);
      if (address !== writeState(before, navigator.language)) {
        if (replace) history.replaceState(null, '', address);
        else history.pushState(null, '', address);
      }
      return next;
    });
  return [state, go, (change) => writeState({ ...state, ...change }, navigator.language)];
}

export function App() {
  const [state, go, href] = useAddress();
  const [known, setKnown] = useState<Known | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [signing, setSigning] = useState(false);
  const [isExpired, setExpired] = useState(false);
  const texts = TEXTS[state.lang];

  const begin = useCallback((): void => {
    setError(null);
    learn()
      .then(setKnown)
      .catch((wrong: unknown) => {
        if (wrong instanceof ApiError && wrong.status === 401) {
          setKnown(null); // nobody may read who is not known: what was shown goes, too
          if (token() !== '') {
            keepToken('');
            setExpired(true);
            begin();
            return;
          }
        }
        setError(wrong instanceof ApiError ? wrong : new ApiError(0, '', ''));
      });
  }, []);
  useEffect(begin, [begin]);
  const store = useMemo(() => new Store(begin), [begin]);

  // before it is painted: else a chosen theme flashes the other one, and the button tells what the page is not yet
  useLayoutEffect(() => {
    document.documentElement.lang = state.lang === 'zh' ? 'zh-CN' : 'en';
    if (state.theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = state.theme;
  }, [state.lang, state.theme]);
  const format = useMemo(
    () => new Format(state.lang, known?.about ?? { currency: 'CNY', zone: 'UTC' }),
    [state.lang, known],
  );

  const panels = useMemo(
    () => new Map([...(known?.panels ?? [])].map(([id, panel]) => [id, readIn(panel, state.lang)])),
    [known, state.lang],
  );

  const signedIn = (who: WhoAmI): void => {
    setSigning(false);
    setExpired(false);
    if (known) setKnown({ ...known, who });
    else begin();
    store.again();
  };
  if (!known) return <Front error={error} lang={state.lang} isExpired={isExpired} signedIn={signedIn} again={begin} />;
  const page: Page = { ...known, panels, state, texts, format, store, go, href, signIn: () => setSigning(true) };
  const signOut = (): void => {
    keepToken('');
    dropDraft();
    if (known.about.tokens) setKnown(null);
    begin();
    store.again();
  };
  return (
    <PageProvider value={page}>
      <Boards signOut={signOut} faults={known.faults} />
      {signing && (
        <Drawer title={texts.signIn} close={() => setSigning(false)}>
          <SignIn texts={texts} owners={!known.about.tokens} needed={false} done={signedIn} />
        </Drawer>
      )}
    </PageProvider>
  );
}

/** Before anything is known: loading, not reachable, or a token is needed. */
function Front(props: {
  error: ApiError | null;
  lang: 'en' | 'zh';
  isExpired: boolean;
  signedIn: (who: WhoAmI) => void;
  again: () => void;
}) {
  const { error, lang, isExpired, signedIn, again } = props;
  const texts = TEXTS[lang];
  return (
    <main class="front">
      <h1>{texts.product}</h1>
      {!error && <p class="loading">{texts.loading}</p>}
      {error?.status === 401 && isExpired && (
        <p class="notice failed" role="alert">
          {texts.signInAgain}
        </p>
      )}
      {error?.status === 401 && <SignIn texts={texts} owners={false} needed done={signedIn} />}
      {error && error.status !== 401 && (
        <p class="notice failed" role="alert">
          {sentences(error) || texts.refusedHelp['0']}{' '}
          <button type="button" onClick={again}>
            {texts.retry}
          </button>
        </p>
      )}
    </main>
  );
}

function Boards({ signOut, faults }: { signOut: () => void; faults: Fault[] }) {
  const page = usePage();
  const { boards, panels, state, texts, store } = page;
  const brought = (id: string): string[] => broughtTo(id, panels.values());
  const board = boardOf(state, boards, brought);
  const view = board ? viewOf(state, board).toString() : '';
  useEffect(() => void performance.mark('board'), []);
  useEffect(() => store.look(view), [store, view]);
  useEffect(() => {
    if (board) document.title = `${board.titles[state.lang]} · ${texts.product}`;
  }, [board, state.lang, texts]);
  const strange = useStrange(board);
  if (!board) return <p class="notice">{texts.noBoards}</p>;
  const all = board.panels.flatMap((id) => panels.get(id) ?? []);
  const shown = all.filter((panel) => panel.source === 'clickhouse');
  const [campaign, another] = state.values.campaign ?? [];
  const isAboutOne = campaign !== undefined && another === undefined && brought(board.id).includes('campaign');
  return (
    <>
      <Header board={board} signOut={signOut} />
      <Trouble />
      <Faults known={faults} />
      <main id="board" tabIndex={-1}>
        <div class="about">
          <h1>{board.titles[state.lang]}</h1>
          <p>{board.descriptions[state.lang]}</p>
        </div>
        <Unknown strange={strange} />
        {isAboutOne && strange.length === 0 && <Standing campaign={campaign} />}
        {!strange.some(({ isAll }) => isAll) && (
          <div class="grid">
            {shown.map((panel) => (
              <Panel key={panel.id} panel={panel} />
            ))}
          </div>
        )}
        <Elsewhere panels={all.filter((panel) => panel.source !== 'clickhouse')} />
      </main>
      <Beside board={board} />
    </>
  );
}

function Beside({ board }: { board: Board }) {
  const { state, panels } = usePage();
  if (state.alert !== '') return <Alert id={state.alert} key={state.alert} />;
  if (state.list) return <AlertList />;
  if (state.explain === '') return null;
  const all = board.panels.concat([...panels.keys()]);
  const column = all.flatMap((id) => panels.get(id)?.columns ?? []).find((one) => one.name === state.metric);
  return <Evidence campaign={state.explain} metric={state.metric} label={column?.labels[state.lang] ?? state.metric} />;
}

/** Why the numbers are not those of now. */
function Trouble() {
  const { store, texts, go } = usePage();
  const [, draw] = useState(0);
  useEffect(() => store.subscribe('', () => draw((count) => count + 1)), [store]);
  const { live } = store;
  if (live.state === 'refused') {
    return (
      <p class="notice failed trouble" role="alert">
        <strong>{texts.refusedView}</strong> {sentences(live.error)}{' '}
        <button type="button" onClick={() => go({ from: '', to: '', values: {} })}>
          {texts.usualView}
        </button>
      </p>
    );
  }
  if (live.state !== 'unreachable') return null;
  return (
    <p class="notice failed trouble" role="alert">
      {live.error.status === 0 ? `${texts.refusedHelp['0'] ?? ''} ` : sentences(live.error)} {texts.asOfThen}
    </p>
  );
}

/** The alert of the campaign that is looked at, where somebody must act. */
function Standing({ campaign }: { campaign: string }) {
  const { texts, go, format } = usePage();
  const [alert, setAlert] = useState<AlertRow | null>(null);
  const look = useCallback(
    () =>
      ask<AlertRow[]>(`api/alerts?campaign=${encodeURIComponent(campaign)}`)
        .then((found) => setAlert(newest(found) ?? null))
        .catch(() => undefined),
    [campaign],
  );
  useEffect(() => void look(), [look]);
  useWhenChanged(look);
  return (
    <p class="standing">
      {alert?.campaign_id === campaign ? (
        <>
          <bdi class="name">{nameOf(alert.campaign_name, alert.campaign_id)}</bdi> <Word word={alert.state} />
          {(alert.money_at_risk_minor !== null || !isJudged(alert.state)) && (
            <span>
              {texts.atRisk}:{' '}
              <b>{isJudged(alert.state) ? format.value(alert.money_at_risk_minor, 'minor') : texts.none_unjudged}</b>
            </span>
          )}
          <button
            type="button"
            class={alert.state === 'firing' ? 'main' : ''}
            onClick={() => go({ alert: alert.alert_id, explain: '', list: false })}
          >
            {texts.openAlert}
          </button>
        </>
      ) : (
        '\u00a0'
      )}
    </p>
  );
}
