/** One stream of changes for everything on screen, kept up: silence is noticed, and a broken stream is opened again. */
import { ApiError, headers, refused } from './api';
import { readJson } from './exact';
import { withNames } from './seen';
import { EventParser } from './sse';
import type { Answer, Problem } from '../types';

/** The server says something at least every few seconds, if only that it lives. */
const SILENCE_MS = 15_000;
const WAITS_MS = [500, 1000, 2000, 5000];

export interface Listener {
  answer: (answer: Answer) => void;
  problem: (panel: string, problem: Problem) => void;
  /** It flows. */
  alive: () => void;
  /** How many seconds ago the newest block was written; null: nothing was, so far. */
  pulse: (writtenAgo: number | null) => void;
  /** It broke or was refused; it is tried again unless the error is one that trying does not mend. */
  broken: (error: ApiError) => void;
}

export class Stream {
  private readonly controller = new AbortController();

  constructor(
    private readonly path: () => string,
    private readonly listener: Listener,
  ) {
    void this.keep();
  }

  close(): void {
    this.controller.abort();
  }

  private hasEnded(): boolean {
    return this.controller.signal.aborted;
  }

  private async keep(): Promise<void> {
    for (let tries = 0; !this.hasEnded(); tries++) {
      try {
        await this.follow(() => (tries = 0));
        throw new ApiError(0, '', '');
      } catch (error) {
        if (this.hasEnded()) return;
        const told = error instanceof ApiError ? error : new ApiError(0, '', '');
        this.listener.broken(told);
        if (told.status === 401 || told.status === 422) return;
      }
      const wait = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)] ?? 5000;
      await new Promise((resume) => setTimeout(resume, wait * (0.75 + Math.random() / 2)));
    }
  }

  private async follow(begun: () => void): Promise<void> {
    const once = new AbortController();
    const stop = (): void => {
      once.abort();
    };
    this.controller.signal.addEventListener('abort', stop);
    let silence = setTimeout(stop, SILENCE_MS);
    try {
      const response = await fetch(this.path(), { headers: headers(), signal: once.signal });
      if (!response.ok) throw await refused(response);
      if (!response.body) return;
      begun();
      this.listener.alive();
      const parser = new EventParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(stop, SILENCE_MS);
        this.listener.alive();
        for (const { event, data } of parser.push(value)) this.tell(event, data);
      }
    } finally {
      clearTimeout(silence);
      this.controller.signal.removeEventListener('abort', stop);
      once.abort();
    }
  }

  private tell(event: string, data: string): void {
    if (this.hasEnded()) return;
    if (event === 'panel') this.listener.answer(withNames(readJson(data) as Answer));
    if (event === 'pulse') this.listener.pulse((JSON.parse(data) as { written_ago: number | null }).written_ago);
    if (event === 'problem') {
      const problem = JSON.parse(data) as Problem & { id: string };
      this.listener.problem(problem.id, problem);
    }
  }
}
