/** What every part of the page is given. */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Format } from './format';
import type { Texts } from './i18n';
import type { State } from './state';
import type { Shown, Store } from './store';
import type { About, Board, Colour, Panel, WhoAmI, WordList } from '../types';

export interface Page {
  about: About;
  words: WordList;
  boards: Board[];
  panels: Map<string, Panel>;
  state: State;
  texts: Texts;
  format: Format;
  store: Store;
  who: WhoAmI;
  /** Goes to a changed state; `replace` leaves no step for the Back button. */
  go: (change: Partial<State>, replace?: boolean) => void;
  /** Returns the address of a changed state, for links. */
  href: (change: Partial<State>) => string;
  signIn: () => void;
}

const Context = createContext<Page | null>(null);
export const PageProvider = Context.Provider;

export function usePage(): Page {
  const page = useContext(Context);
  if (!page) throw new Error('there is no page around this');
  return page;
}

export function useShown(panel: string): Shown {
  const { store } = usePage();
  const [, draw] = useState(0);
  useEffect(() => store.subscribe(panel, () => draw((count) => count + 1)), [store, panel]);
  return store.of(panel);
}

/** Returns what people read instead of a word of unit `state`, and its colour. */
export function worded(page: Page, word: string): { text: string; colour: Colour } {
  const known = page.words[word];
  return known
    ? { text: known[page.state.lang], colour: known.colour }
    : { text: page.texts.states[word] ?? word, colour: 'grey' };
}

const SETTLE_MS = 1500;
const LOOK_MS = 5000;

/**
 * Calls back after anything on screen has changed, no more often than every other second; and every few seconds in any
 * case while the page is in sight: a board without a word of alerts does not change when an alert does.
 */
export function useWhenChanged(callback: () => Promise<unknown>): void {
  const { store } = usePage();
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false; // of an API that does not answer nothing more is asked meanwhile
    const look = (): void => {
      if (isAsking || document.hidden) return;
      isAsking = true;
      void callback().finally(() => (isAsking = false));
    };
    const stop = store.subscribe('*', () => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        look();
      }, SETTLE_MS);
    });
    const looking = setInterval(look, LOOK_MS);
    return () => {
      clearTimeout(waiting);
      clearInterval(looking);
      stop();
    };
  }, [store, callback]);
}
