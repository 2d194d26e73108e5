/** Doing something about an alert: one request at a time, and what became of it. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, ask } from '../logic/api';
import { usePage } from '../logic/context';
import type { Alert, Silence } from '../types';

export interface Doing {
  busy: boolean;
  error: ApiError | null;
  done: boolean;
  /** Sends an action; returns whether it was done. While one is under way nothing else is sent. */
  act: (path: string, body: unknown, method?: 'POST' | 'DELETE') => Promise<boolean>;
}

interface Outcome {
  busy: boolean;
  error: ApiError | null;
  done: boolean;
}

const IDLE: Outcome = { busy: false, error: null, done: false };

function isAlert(answer: Alert | Silence): answer is Alert {
  return 'history' in answer;
}

/** Whether the same request may still count: it is sent again under the same key, so that it counts once. */
function isOpenStill(error: ApiError): boolean {
  return error.status === 0 || error.status === 503;
}

/**
 * Sends one action at a time and is busy until that is answered, no longer: an alert that is read again beside it keeps
 * nobody from trying once more.
 *
 * @param changed is given the alert as an action has left it.
 * @param refused is called after an action that was not done: what is shown may be old.
 */
export function useDoing(alert: Alert, changed: (alert: Alert) => void, refused: () => void): Doing {
  const { who } = usePage();
  const [outcome, setOutcome] = useState(IDLE);
  const isRunning = useRef(false);
  const key = useRef({ what: '', key: '' });
  const { length } = alert.history;
  // whoever signs in anew was refused nothing yet, and a request that was kept has counted once the alert is another
  useEffect(() => setOutcome((before) => (before.busy ? before : IDLE)), [who]);
  useEffect(
    () => setOutcome((before) => (before.error && isOpenStill(before.error) ? { ...before, error: null } : before)),
    [length],
  );

  const act = useCallback<Doing['act']>(
    async (path, body, method = 'POST') => {
      if (isRunning.current) return false;
      isRunning.current = true;
      const what = method + path + JSON.stringify(body);
      if (key.current.what !== what) key.current = { what, key: crypto.randomUUID() };
      setOutcome({ ...IDLE, busy: true });
      let error: ApiError | null = null;
      try {
        const request = { method, ...(method === 'DELETE' ? {} : { body }), key: key.current.key };
        const answer = await ask<Alert | Silence>(path, request);
        if (isAlert(answer)) changed(answer);
      } catch (wrong) {
        error = wrong instanceof ApiError ? wrong : new ApiError(0, '', '');
      }
      if (!error || !isOpenStill(error)) key.current = { what: '', key: '' };
      isRunning.current = false;
      setOutcome({ busy: false, error, done: !error });
      if (error) refused();
      return !error;
    },
    [changed, refused],
  );
  return { ...outcome, act };
}
