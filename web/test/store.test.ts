import { afterEach, describe, expect, test, vi } from 'vitest';
import { Store } from '../src/logic/store';

const sent = (event: string, content: unknown): string => `event: ${event}\ndata: ${JSON.stringify(content)}\n\n`;
const panel = (id: string): string => sent('panel', { id, columns: [], rows: [], tag: 't', from: 0, to: 1, latest: 1 });

/** Returns a store that looks at panel `p`, and what sends it events. */
function looking(): { store: Store; send: (text: string) => Promise<void> } {
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  vi.stubGlobal('fetch', () =>
    Promise.resolve(new Response(new ReadableStream<Uint8Array>({ start: (begun) => void (controller = begun) }))),
  );
  const store = new Store(() => undefined);
  store.look('from=latest-7d');
  store.see('p', true);
  const send = async (text: string): Promise<void> => {
    await vi.waitFor(() => expect(controller).toBeDefined());
    let stops: (() => void)[] = [];
    const told = new Promise<void>((resume) => {
      stops = ['', 'p'].map((name) => store.subscribe(name, resume));
    });
    controller?.enqueue(new TextEncoder().encode(text));
    await told;
    for (const stop of stops) stop();
  };
  return { store, send };
}

afterEach(() => vi.unstubAllGlobals());

describe('numbers', () => {
  test('are live while blocks are written, and stale once none is, however alive the board', async () => {
    const { store, send } = looking();
    await send(sent('pulse', { written_ago: 2 }));
    await vi.waitFor(() => expect(store.live.state).toBe('live'));
    await send(sent('pulse', { written_ago: 80 }));
    await vi.waitFor(() => expect(store.live.state).toBe('quiet'));
    const { live } = store;
    expect(live.state === 'quiet' && Math.round((Date.now() - live.since) / 1000)).toBe(80);
    await send(sent('pulse', { written_ago: 0 }));
    await vi.waitFor(() => expect(store.live.state).toBe('live'));
  });

  test('that cannot be read are said not to be, until they can', async () => {
    const { store, send } = looking();
    await send(sent('problem', { id: 'p', error: 'ClickHouse does not answer', remedy: 'see roi status' }));
    await vi.waitFor(() => expect(store.live.state).toBe('unread'));
    await send(panel('p'));
    await vi.waitFor(() => expect(store.live.state).toBe('live'));
  });
});

test('a view that is not to be had is no board that does not answer', async () => {
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  const body = JSON.stringify({ error: 'from is after to', remedy: 'ask for a range that begins before it ends' });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status: 422 })));
  const store = new Store(() => undefined);
  store.look('from=x');
  store.see('p', true);
  await vi.waitFor(() => expect(store.live.state).toBe('refused'));
});
