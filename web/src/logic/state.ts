/** What the page shows, and its address: the one is read from and written to the other. */
import type { Board, Lang } from '../types';

export type Theme = 'auto' | 'light' | 'dark';

export interface State {
  /** '' = the first board. */
  board: string;
  /** Chosen values of each variable; what is missing is not chosen. */
  values: Record<string, string[]>;
  /** '' = the board's own range. */
  from: string;
  to: string;
  lang: Lang;
  theme: Theme;
  /** Open beside the board: an alert, the list of alerts, or the evidence of a campaign's number. */
  alert: string;
  list: boolean;
  explain: string;
  metric: string;
}

const OWN = new Set(['board', 'from', 'to', 'lang', 'theme', 'alert', 'alerts', 'explain', 'metric']);

export function readState(search: string, browserLanguage: string): State {
  const query = new URLSearchParams(search);
  const one = (name: string): string => query.get(name) ?? '';
  const values: Record<string, string[]> = {};
  for (const name of new Set(query.keys())) {
    if (!OWN.has(name)) values[name] = query.getAll(name).filter((value) => value !== '');
  }
  const lang = one('lang');
  const theme = one('theme');
  return {
    board: one('board'),
    values,
    from: one('from'),
    to: one('to'),
    lang: lang === 'en' || lang === 'zh' ? lang : browserLanguage.toLowerCase().startsWith('zh') ? 'zh' : 'en',
    theme: theme === 'light' || theme === 'dark' ? theme : 'auto',
    alert: one('alert'),
    list: one('alerts') === 'open',
    explain: one('explain'),
    metric: one('metric'),
  };
}

/** Returns the query string of a state; names without a value are left out, so that addresses stay short. */
export function writeState(state: State, browserLanguage: string): string {
  const query = new URLSearchParams();
  const set = (name: string, value: string): void => {
    if (value !== '') query.set(name, value);
  };
  set('board', state.board);
  for (const [name, chosen] of Object.entries(state.values)) {
    for (const value of chosen) query.append(name, value);
  }
  set('from', state.from);
  set('to', state.to);
  const own = readState('', browserLanguage).lang;
  set('lang', state.lang === own ? '' : state.lang);
  set('theme', state.theme === 'auto' ? '' : state.theme);
  set('alert', state.alert);
  set('alerts', state.list ? 'open' : '');
  set('explain', state.explain);
  set('metric', state.explain === '' ? '' : state.metric);
  const text = query.toString();
  return text === '' ? './' : `./?${text}`;
}

/** Returns the variables that clicks elsewhere bring along to a board: what it is about. */
export function broughtTo(
  board: string,
  panels: Iterable<{ drill: { board: string; takes: Record<string, string> } | null }>,
): string[] {
  const needed = new Set<string>();
  for (const panel of panels) {
    if (panel.drill?.board === board) for (const name of Object.keys(panel.drill.takes)) needed.add(name);
  }
  return [...needed];
}

/**
 * Returns the board that an address means. Alerts link to `?campaign=ID`: without a board named, that is the one which
 * clicks on campaigns lead to, and where there is none the first that lets one choose it.
 */
export function boardOf(state: State, boards: Board[], brought: (board: string) => string[]): Board | undefined {
  const named = boards.find((board) => board.id === state.board);
  if (named) return named;
  const chosen = Object.keys(state.values).filter((name) => name !== 'run');
  const meant = chosen.length
    ? (boards.find((board) => brought(board.id).some((name) => chosen.includes(name))) ??
      boards.find((board) => board.variables.some((variable) => chosen.includes(variable.name))))
    : undefined;
  return meant ?? boards[0];
}

/** Returns the query of a panel's numbers; variables that the board does not have are left out. */
export function viewOf(state: State, board: Board): URLSearchParams {
  const query = new URLSearchParams({ from: state.from || `latest-${board.latest}`, to: state.to || 'latest' });
  for (const variable of board.variables) {
    const chosen = state.values[variable.name] ?? [];
    for (const value of variable.multiple ? chosen : chosen.slice(0, 1)) query.append(variable.name, value);
  }
  return query;
}

/** Returns the state that a click on a row leads to: another board, with what the row brings along. */
export function drilled(state: State, board: string, brought: Record<string, string>): State {
  const values: Record<string, string[]> = {};
  if (state.values.run) values.run = state.values.run;
  for (const [name, value] of Object.entries(brought)) values[name] = [value];
  return { ...state, board, values, alert: '', list: false, explain: '', metric: '' };
}
