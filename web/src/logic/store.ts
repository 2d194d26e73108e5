/** The numbers of panels on screen: who shows them, which stream brings them, and how fresh they are. */
import { ask, type ApiError } from './api';
import { Stream } from './stream';
import type { AlertRow, Answer, Problem } from '../types';

export interface Shown {
  answer: Answer | null;
  problem: Problem | null;
  /** The answer is of another range or choice than the one asked for now. */
  old: boolean;
}

export type Liveness =
  | { state: 'connecting' }
  | { state: 'live' }
  /** Nothing was written since: no events come, or nobody reads them. */
  | { state: 'quiet'; since: number }
  /** The board answers, but cannot read the numbers. */
  | { state: 'unread'; since: number }
  | { state: 'stale'; since: number }
  | { state: 'unreachable'; since: number; error: ApiError }
  /** What the address asks for is not to be had; asking again does not mend that. */
  | { state: 'refused'; error: ApiError };

const NOTHING: Shown = { answer: null, problem: null, old: false };
const SETTLE_MS = 60;
/** So long without a block is told: what is shown may be no longer what is. */
const QUIET_MS = 15_000;
/** A stream that breaks and is back at once is nobody's news. */
const PATIENCE_MS = 2500;

export class Store {
  private readonly shown = new Map<string, Shown>();
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly visible = new Set<string>();
  private view = '';
  private stream: Stream | null = null;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private lastHeard = 0;
  private impatience: ReturnType<typeof setTimeout> | undefined;
  private liveness: Liveness = { state: 'connecting' };
  /** When the newest block was written, by this machine's clock; 0 = not known. */
  private written = 0;
  private unread = 0;
  /** The newest event of the run, epoch milliseconds. */
  latest = 0;

  constructor(private readonly whenRefused: () => void) {}

  of(panel: string): Shown {
    return this.shown.get(panel) ?? NOTHING;
  }

  get live(): Liveness {
    if (this.liveness.state !== 'live') return this.liveness;
    if (this.isUnread()) return { state: 'unread', since: this.unread };
    const isQuiet = this.written > 0 && Date.now() - this.written > QUIET_MS;
    return isQuiet ? { state: 'quiet', since: this.written } : this.liveness;
  }

  /** Calls back at every change of a panel; '' is the liveness. Returns the way out. */
  subscribe(panel: string, changed: () => void): () => void {
    const all = this.listeners.get(panel) ?? new Set();
    this.listeners.set(panel, all.add(changed));
    return () => all.delete(changed);
  }

  see(panel: string, isVisible: boolean): void {
    if (this.visible.has(panel) === isVisible) return;
    if (isVisible) this.visible.add(panel);
    else this.visible.delete(panel);
    this.settle();
  }

  /** What is looked at: range and variables as a query string. What is shown stays, marked as old, until the new comes. */
  look(view: string): void {
    if (view === this.view) return;
    this.view = view;
    this.written = 0;
    for (const [panel, shown] of this.shown) {
      if (shown.answer || shown.problem) this.change(panel, { ...shown, problem: null, old: true });
    }
    this.settle();
  }

  /** Returns the id of a campaign's newest alert; null where it has none, or nobody answers. */
  async alertOf(campaign: string): Promise<string | null> {
    try {
      const found = await ask<AlertRow[]>(`api/alerts?campaign=${encodeURIComponent(campaign)}`);
      return newest(found)?.alert_id ?? null;
    } catch {
      return null;
    }
  }

  again(): void {
    this.settle();
  }

  private settle(): void {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.open(), SETTLE_MS);
  }

  private open(): void {
    this.stream?.close();
    this.stream = null;
    const panels = [...this.visible];
    if (panels.length === 0 || this.view === '') return;
    this.stream = new Stream(() => this.path(panels), {
      answer: (answer) => {
        const isFirst = this.latest === 0;
        this.latest = Math.max(this.latest, answer.latest);
        if (isFirst) {
          performance.mark('numbers');
          this.tell('');
        }
        this.change(answer.id, { answer, problem: null, old: false });
      },
      problem: (panel, problem) => this.change(panel, { ...this.of(panel), problem }),
      pulse: (ago) => {
        this.written = ago === null ? 0 : Date.now() - ago * 1000;
        this.tell('');
      },
      alive: () => this.heard(),
      broken: (error) => this.lost(error),
    });
  }

  private path(panels: string[]): string {
    const query = new URLSearchParams(this.view);
    for (const panel of panels) {
      query.append('panels', panel);
      const { answer, old, problem } = this.of(panel);
      if (answer && !old && !problem) query.append('known', `${panel}:${answer.tag}`);
    }
    return `api/stream?${query.toString()}`;
  }

  private heard(): void {
    this.lastHeard = Date.now();
    clearTimeout(this.impatience);
    this.impatience = undefined;
    if (this.liveness.state !== 'live') this.say({ state: 'live' });
  }

  private lost(error: ApiError): void {
    if (error.status === 401) {
      this.whenRefused();
      return;
    }
    if (error.status >= 400 && error.status < 500 && error.status !== 429) {
      this.say({ state: 'refused', error });
      return;
    }
    const since = this.lastHeard || Date.now();
    const unreachable: Liveness = { state: 'unreachable', since, error };
    if (error.status !== 0 || this.liveness.state === 'connecting') {
      this.say(unreachable);
      return;
    }
    this.impatience ??= setTimeout(() => {
      this.say({ state: 'stale', since });
      this.impatience = setTimeout(() => this.say(unreachable), 4 * PATIENCE_MS);
    }, PATIENCE_MS);
  }

  private say(liveness: Liveness): void {
    this.liveness = liveness;
    this.tell('');
  }

  private change(panel: string, shown: Shown): void {
    this.shown.set(panel, shown);
    if (this.isUnread() !== this.unread > 0) {
      this.unread = this.unread > 0 ? 0 : Date.now();
      this.tell('');
    }
    this.tell(panel);
    this.tell('*');
  }

  private isUnread(): boolean {
    return [...this.visible].some((panel) => this.of(panel).problem !== null);
  }

  private tell(panel: string): void {
    for (const changed of this.listeners.get(panel) ?? []) changed();
  }
}

export function newest(alerts: AlertRow[]): AlertRow | undefined {
  return alerts.reduce<AlertRow | undefined>(
    (last, one) => (last && (last.opened_at ?? '') >= (one.opened_at ?? '') ? last : one),
    undefined,
  );
}
