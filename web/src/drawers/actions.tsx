/** What people do about an alert: seen, decided, approved, remarked, silenced. */
import { useDoing, type Doing } from './doing';
import { Refusal } from './refusal';
import { Silencing } from './silencing';
import { usePage } from '../logic/context';
import { dropDraft, useDraft } from '../logic/drafts';
import { fill } from '../logic/i18n';
import type { Alert } from '../types';

const DECISIONS = ['stop', 'optimise', 'continue'] as const;

export function Actions(props: { alert: Alert; changed: (alert: Alert) => void; refused: () => void }) {
  const { texts, who } = usePage();
  const { alert } = props;
  const doing = useDoing(alert, props.changed, props.refused);
  const path = `api/alerts/${encodeURIComponent(alert.alert_id)}`;
  const { proposal } = alert.record;
  const hasFired = ['firing', 'acknowledged', 'decided'].includes(alert.state);
  return (
    <section class="actions" aria-label={texts.act} aria-busy={doing.busy} tabIndex={-1}>
      <h3>{texts.act}</h3>
      {alert.state === 'blocked' && <p class="notice">{texts.blocked}</p>}
      {!hasFired && alert.state !== 'blocked' && <p class="faint">{texts.onlyFired}</p>}
      {who.name !== null && who.role !== 'decider' && <p class="notice">{texts.viewerOnly}</p>}
      {alert.state === 'firing' && (
        <Act doing={doing} path={`${path}/acknowledge`}>
          {texts.acknowledge}
        </Act>
      )}
      {proposal && hasFired && (
        <Act doing={doing} path={`${path}/approve`}>
          {fill(texts.approve, { by: proposal.by })}
        </Act>
      )}
      {hasFired && (
        <Decide of={alert.alert_id} busy={doing.busy} decide={(body) => doing.act(`${path}/decide`, body)} />
      )}
      <Remark of={alert.alert_id} busy={doing.busy} add={(note) => doing.act(`${path}/note`, { note })} />
      <Silencing alert={alert} doing={doing} />
      <p role="status" class="faint">
        {doing.busy ? texts.working : doing.done ? texts.done : ''}
      </p>
      {doing.error && <Refusal error={doing.error} />}
    </section>
  );
}

/** A button of one action. It is never disabled while one is under way: a disabled button loses the keyboard's focus. */
function Act({ doing, path, children }: { doing: Doing; path: string; children: preact.ComponentChildren }) {
  return (
    <button type="button" class="main" aria-disabled={doing.busy} onClick={() => void doing.act(path, {})}>
      {children}
    </button>
  );
}

function Decide(props: {
  of: string;
  busy: boolean;
  decide: (body: { decision: string; reason: string }) => Promise<boolean>;
}) {
  const { texts } = usePage();
  const { of, busy, decide } = props;
  const [decision, setDecision] = useDraft(`decision ${of}`);
  const [reason, setReason] = useDraft(`reason ${of}`);
  const send = (): void =>
    void decide({ decision, reason: reason.trim() }).then((isDone) => {
      if (!isDone) return;
      dropDraft(`decision ${of}`);
      dropDraft(`reason ${of}`);
    });
  const isWhole = decision !== '' && reason.trim() !== '';
  return (
    <form
      class="decide"
      onSubmit={(event) => {
        event.preventDefault();
        if (isWhole) send();
      }}
    >
      <fieldset>
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
        <button type="submit" class="main" aria-disabled={busy || !isWhole}>
          {texts.decide}
        </button>
      </fieldset>
    </form>
  );
}

function Remark({ of, busy, add }: { of: string; busy: boolean; add: (note: string) => Promise<boolean> }) {
  const { texts } = usePage();
  const [note, setNote] = useDraft(`note ${of}`);
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (note.trim() !== '') void add(note.trim()).then((isAdded) => isAdded && setNote(''));
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
      <button type="submit" aria-disabled={busy || note.trim() === ''}>
        {texts.addNote}
      </button>
    </form>
  );
}
