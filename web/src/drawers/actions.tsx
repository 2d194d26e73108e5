/** What people do about an alert: seen, decided, approved, remarked, silenced. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refusal } from './refusal';
import { ApiError, ask } from '../logic/api';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import type { Alert, Silence } from '../types';

const HOURS = { '1h': 1, '8h': 8, '1d': 24, '7d': 168 };
const DECISIONS = ['stop', 'optimise', 'continue'] as const;

interface Doing {
  busy: boolean;
  error: ApiError | null;
  done: boolean;
  act: (path: string, body: unknown, method?: string) => void;
}

/** Sends one action at a time; a request that is sent again after a failure has the same key, so it counts once. */
function useDoing(alert: Alert, changed: (alert: Alert) => void, after: () => void): Doing {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [done, setDone] = useState(false);
  const key = useRef({ what: '', key: '' });
  const act = (path: string, body: unknown, method = 'POST'): void => {
    const what = method + path + JSON.stringify(body);
    if (key.current.what !== what) key.current = { what, key: crypto.randomUUID() };
    setBusy(true);
    setError(null);
    setDone(false);
    const send = async (): Promise<void> => {
      try {
        await ask(path, { method, ...(method === 'DELETE' ? {} : { body }), key: key.current.key });
        key.current = { what: '', key: '' };
        setDone(true);
      } catch (wrong) {
        setError(wrong instanceof ApiError ? wrong : new ApiError(0, '', ''));
        if (wrong instanceof ApiError && wrong.status !== 0 && wrong.status !== 503)
          key.current = { what: '', key: '' };
      }
      try {
        changed(await ask<Alert>(`api/alerts/${encodeURIComponent(alert.alert_id)}`));
      } catch {
        // the error above says why
      }
      after();
      setBusy(false);
    };
    void send();
  };
  return { busy, error, done, act };
}

export function Actions({ alert, changed }: { alert: Alert; changed: (alert: Alert) => void }) {
  const { texts, who } = usePage();
  const [round, setRound] = useState(0);
  const doing = useDoing(alert, changed, () => setRound((count) => count + 1));
  const path = `api/alerts/${encodeURIComponent(alert.alert_id)}`;
  const { proposal } = alert.record;
  const hasFired = ['firing', 'acknowledged', 'decided'].includes(alert.state);
  return (
    <section class="actions" aria-busy={doing.busy}>
      <h3>{texts.act}</h3>
      {alert.state === 'blocked' && <p class="notice">{texts.blocked}</p>}
      {!hasFired && alert.state !== 'blocked' && <p class="faint">{texts.onlyFired}</p>}
      {who.name !== null && who.role !== 'decider' && <p class="notice">{texts.viewerOnly}</p>}
      {alert.state === 'firing' && (
        <button type="button" class="main" disabled={doing.busy} onClick={() => doing.act(`${path}/acknowledge`, {})}>
          {texts.acknowledge}
        </button>
      )}
      {proposal && hasFired && (
        <button type="button" class="main" disabled={doing.busy} onClick={() => doing.act(`${path}/approve`, {})}>
          {fill(texts.approve, { by: proposal.by })}
        </button>
      )}
      {hasFired && <Decide busy={doing.busy} decide={(body) => doing.act(`${path}/decide`, body)} />}
      <Remark busy={doing.busy} add={(note) => doing.act(`${path}/note`, { note })} />
      <Silencing campaign={alert.campaign_id} round={round} doing={doing} />
      <p role="status" class="faint">
        {doing.busy ? texts.working : doing.done ? texts.done : ''}
      </p>
      {doing.error && <Refusal error={doing.error} />}
    </section>
  );
}

function Decide({ busy, decide }: { busy: boolean; decide: (body: { decision: string; reason: string }) => void }) {
  const { texts } = usePage();
  const [decision, setDecision] = useState('');
  const [reason, setReason] = useState('');
  return (
    <form
      class="decide"
      onSubmit={(event) => {
        event.preventDefault();
        decide({ decision, reason: reason.trim() });
      }}
    >
      <fieldset disabled={busy}>
        <legend>{texts.decision}</legend>
        {DECISIONS.map((one) => (
          <label key={one} class="choice">
            <input
              type="radio"
              name="decision"
              value={one}
              required
              checked={decision === one}
              onChange={() => setDecision(one)}
            />
            {texts.decisions[one]}
          </label>
        ))}
        <label>
          {texts.reason}
          <textarea
            name="reason"
            rows={2}
            maxLength={2000}
            required
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <p class="faint">{texts.reasonNeeded}</p>
        <button type="submit" class="main" disabled={decision === '' || reason.trim() === ''}>
          {texts.decide}
        </button>
      </fieldset>
    </form>
  );
}

function Remark({ busy, add }: { busy: boolean; add: (note: string) => void }) {
  const { texts } = usePage();
  const [note, setNote] = useState('');
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        add(note.trim());
        setNote('');
      }}
    >
      <label>
        {texts.note}
        <input
          name="note"
          maxLength={2000}
          required
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={busy || note.trim() === ''}>
        {texts.addNote}
      </button>
    </form>
  );
}

function Silencing({ campaign, round, doing }: { campaign: string; round: number; doing: Doing }) {
  const { texts, format } = usePage();
  const [silences, setSilences] = useState<Silence[]>([]);
  const [length, setLength] = useState<keyof typeof HOURS>('1d');
  const [reason, setReason] = useState('');
  useEffect(() => {
    ask<Silence[]>('api/silences?state=active')
      .then((all) => setSilences(all.filter((one) => one.campaign_id === campaign)))
      .catch(() => setSilences([]));
  }, [campaign, round]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const until = new Date(Math.ceil(Date.now() / 60_000) * 60_000 + HOURS[length] * 3_600_000).toISOString();
    doing.act('api/silences', { campaign_id: campaign, until, reason: reason.trim() });
    setReason('');
  };
  return (
    <>
      {silences.map((one) => (
        <p key={one.silence_id} class="notice">
          {fill(texts.silenced, { at: format.instant(Date.parse(one.until)), by: one.by, reason: one.reason })}{' '}
          <button
            type="button"
            disabled={doing.busy}
            onClick={() => doing.act(`api/silences/${encodeURIComponent(one.silence_id)}`, null, 'DELETE')}
          >
            {texts.unsilence}
          </button>
        </p>
      ))}
      {silences.length === 0 && (
        <details>
          <summary>{texts.silence}</summary>
          <form class="row" onSubmit={submit}>
            <label>
              {texts.until}
              <select value={length} onChange={(event) => setLength(event.currentTarget.value as keyof typeof HOURS)}>
                {Object.entries(texts.silences).map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
            <label>
              {texts.reason}
              <input
                name="silence-reason"
                maxLength={2000}
                required
                value={reason}
                onInput={(event) => setReason(event.currentTarget.value)}
              />
            </label>
            <button type="submit" disabled={doing.busy || reason.trim() === ''}>
              {texts.silence}
            </button>
          </form>
        </details>
      )}
    </>
  );
}
