/** For a while nobody is told of a campaign's alerts, or of an owner's. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Doing } from './doing';
import { ask } from '../logic/api';
import { usePage, useWhenChanged } from '../logic/context';
import { fill } from '../logic/i18n';
import { instantAt, minuteOf } from '../logic/time';
import type { AlertRow, Silence } from '../types';

const HOUR_MS = 3_600_000;
const HOURS = { '1h': 1, '8h': 8, '1d': 24, '7d': 168 };
type Length = keyof typeof HOURS | 'own';

export function Silencing({ alert, doing }: { alert: AlertRow; doing: Doing }) {
  const { texts, format } = usePage();
  const { campaign_id: campaign, owner } = alert;
  const [silences, setSilences] = useState<Silence[]>([]);
  const load = useCallback(
    () =>
      ask<Silence[]>('api/silences?state=active')
        .then((all) =>
          setSilences(all.filter((one) => one.campaign_id === campaign || (one.owner !== null && one.owner === owner))),
        )
        .catch(() => undefined), // what was known stays; the alert's own error says why
    [campaign, owner],
  );
  useEffect(() => void load(), [load]);
  useWhenChanged(load);
  const act: Doing['act'] = async (path, body, method) => {
    const isDone = await doing.act(path, body, method);
    void load();
    return isDone;
  };
  return (
    <>
      {silences.map((one) => (
        <p key={one.silence_id} class="notice silence">
          <bdi>
            {fill(one.owner === null ? texts.silenced : texts.silencedOwner, {
              at: format.instant(Date.parse(one.until)),
              by: one.by,
              owner: one.owner === null ? '' : format.value(one.owner, 'text'),
              reason: one.reason,
            })}
          </bdi>{' '}
          <button
            type="button"
            aria-disabled={doing.busy}
            onClick={() => void act(`api/silences/${encodeURIComponent(one.silence_id)}`, null, 'DELETE')}
          >
            {texts.unsilence}
          </button>
        </p>
      ))}
      <details>
        <summary>{texts.silence}</summary>
        <NewSilence alert={alert} busy={doing.busy} silence={(body) => act('api/silences', body)} />
      </details>
    </>
  );
}

type Wanted = ({ campaign_id: string } | { owner: string }) & { until: string; reason: string };

function NewSilence(props: { alert: AlertRow; busy: boolean; silence: (wanted: Wanted) => Promise<boolean> }) {
  const { texts, about, format } = usePage();
  const { alert, busy, silence } = props;
  const [what, setWhat] = useState<'campaign' | 'owner'>('campaign');
  const [length, setLength] = useState<Length>('1d');
  const [time, setTime] = useState(() => minuteOf(Date.now() + HOUR_MS, about.zone));
  const [reason, setReason] = useState('');
  const isWhole = reason.trim() !== '' && (length !== 'own' || time !== '');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isWhole) return;
    const until = length === 'own' ? instantAt(time, about.zone) : Date.now() + HOURS[length] * HOUR_MS;
    const minute = new Date(Math.ceil(until / 60_000) * 60_000).toISOString(); // the same request within a minute
    const whose = what === 'owner' ? { owner: alert.owner ?? '' } : { campaign_id: alert.campaign_id };
    void silence({ ...whose, until: minute, reason: reason.trim() }).then((isDone) => isDone && setReason(''));
  };
  return (
    <form class="row" onSubmit={submit}>
      <label>
        {texts.silenceWhat}
        <select
          name="silence-what"
          value={what}
          onChange={(event) => setWhat(event.currentTarget.value === 'owner' ? 'owner' : 'campaign')}
        >
          <option value="campaign">{texts.silenceCampaign}</option>
          {alert.owner !== null && (
            <option value="owner">{fill(texts.silenceOwner, { owner: format.value(alert.owner, 'text') })}</option>
          )}
        </select>
      </label>
      <label>
        {texts.until}
        <select
          name="silence-length"
          value={length}
          onChange={(event) => setLength(event.currentTarget.value as Length)}
        >
          {Object.entries(texts.silences).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {length === 'own' && (
        <label>
          {fill(texts.untilTime, { zone: about.zone })}
          <input
            name="silence-until"
            type="datetime-local"
            required
            value={time}
            onInput={(event) => setTime(event.currentTarget.value)}
          />
        </label>
      )}
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
      <button type="submit" aria-disabled={busy || !isWhole}>
        {texts.silence}
      </button>
    </form>
  );
}
