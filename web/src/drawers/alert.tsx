/** One alert: what is known, what is to be done, what was done. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { Actions } from './actions';
import { Drawer } from './drawer';
import { Refusal } from './refusal';
import { ApiError, ask } from '../logic/api';
import { usePage, useWhenChanged, worded } from '../logic/context';
import { fill } from '../logic/i18n';
import { isJudged } from '../logic/rows';
import { nameOf } from '../logic/seen';
import { Word } from '../panels/value';
import type { Alert as Known } from '../types';

export function Alert({ id }: { id: string }) {
  const page = usePage();
  const { texts, go } = page;
  const [alert, setAlert] = useState<Known | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  // an answer that was on its way while somebody acted knows less of what happened than what is shown
  const take = useCallback(
    (found: Known) => setAlert((before) => (before && found.history.length < before.history.length ? before : found)),
    [],
  );
  const load = useCallback(
    () =>
      ask<Known>(`api/alerts/${encodeURIComponent(id)}`)
        .then((found) => {
          take(found);
          setError(null);
        })
        .catch((wrong: unknown) => wrong instanceof ApiError && setError(wrong)),
    [id, take],
  );
  useEffect(() => {
    setAlert(null);
    setError(null);
    void load();
  }, [load]);
  useWhenChanged(load);

  const title = alert ? nameOf(alert.campaign_name, alert.campaign_id) : texts.alerts;
  return (
    <Drawer title={title} close={() => go({ alert: '' })}>
      {error && <Refusal error={error} />}
      {!alert && !error && <p class="notice loading">{texts.loading}</p>}
      {alert && (
        <>
          <p class="headline">
            <Word word={alert.state} />{' '}
            {alert.decision &&
              fill(texts.decidedBy, { decision: worded(page, alert.decision).text, by: alert.decided_by ?? '–' })}
          </p>
          <Reasons alert={alert} />
          <Figures alert={alert} />
          <Actions alert={alert} changed={take} refused={() => void load()} />
          <After alert={alert} />
          <History alert={alert} />
          <Deliveries alert={alert} />
        </>
      )}
    </Drawer>
  );
}

function Reasons({ alert }: { alert: Known }) {
  const page = usePage();
  const { texts, format, state } = page;
  const { advice, proposal, rule } = alert.record;
  const reasons = alert.record.reasons_by_language?.[state.lang] ?? alert.record.reasons ?? [];
  return (
    <section>
      <h3>{texts.reasons}</h3>
      <ul>
        {reasons.map((reason, index) => (
          <li key={index}>{reason}</li>
        ))}
        {reasons.length === 0 && <li>{alert.reason || '–'}</li>}
      </ul>
      {advice && (
        <p class="advice">
          {fill(texts.advice, {
            segment: worded(page, advice.segment).text,
            label: advice.label === '' ? '–' : advice.label,
            ratio: format.value(advice.ratio_without, 'ratio', rule?.min_return_ratio),
          })}
        </p>
      )}
      {proposal && <p class="advice">{fill(texts.proposed, { by: proposal.by, reason: proposal.reason })}</p>}
    </section>
  );
}

function Figures({ alert }: { alert: Known }) {
  const page = usePage();
  const { texts, format } = page;
  const { rule, forecast_ratio: forecast, decisions_by_model: models } = alert.record;
  const ratio = (value: number | null): string => format.value(value, 'ratio', rule?.min_return_ratio);
  const shown: [string, string][] = [
    [texts.ratio, ratio(alert.return_ratio)],
    [texts.required, ratio(rule?.min_return_ratio ?? null)],
    [fill(texts.upperBound, { share: format.value(rule?.confidence ?? null, 'share') }), ratio(alert.upper_bound)],
    [
      texts.forecast,
      forecast
        ? `${ratio(forecast.value)} (${fill(texts.upTo, { low: ratio(forecast.low), high: ratio(forecast.high) })})`
        : '–',
    ],
    [texts.matured, format.value(alert.matured_share, 'share')],
    [
      texts.atRisk,
      !isJudged(alert.state)
        ? texts.none_unjudged
        : alert.money_at_risk_minor === null
          ? texts.none_noRisk
          : format.value(alert.money_at_risk_minor, 'minor'),
    ],
  ];
  return (
    <section>
      <h3>{texts.figures}</h3>
      <dl class="pairs">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {models && Object.keys(models).length > 0 && (
        <>
          <h4>{texts.models}</h4>
          <ul class="models">
            {Object.entries(models).map(([model, stops]) => (
              <li key={model}>
                {worded(page, model).text}: {stops ? texts.wouldStop : texts.wouldNotStop}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function After({ alert }: { alert: Known }) {
  const { texts, format } = usePage();
  const after = alert.after_decision;
  if (!after) return null;
  const ratio = (value: number | null): string => format.value(value, 'ratio', alert.record.rule?.min_return_ratio);
  return (
    <section>
      <h3>{texts.afterDecision}</h3>
      {after.after ? (
        <dl class="pairs">
          <div>
            <dt>{texts.before7}</dt>
            <dd>{ratio(after.before.return_ratio)}</dd>
          </div>
          <div>
            <dt>{texts.after7}</dt>
            <dd>{ratio(after.after.return_ratio)}</dd>
          </div>
          <div>
            <dt>{texts.spendAvoided}</dt>
            <dd>{format.value(after.spend_avoided_minor, 'minor')}</dd>
          </div>
        </dl>
      ) : (
        <p>{fill(texts.daysToGo, { n: format.value(after.days_so_far, 'count') })}</p>
      )}
    </section>
  );
}

function History({ alert }: { alert: Known }) {
  const { texts, format, state } = usePage();
  return (
    <section>
      <h3>{texts.history}</h3>
      <ol class="history">
        {[...alert.history].reverse().map((entry) => (
          <li key={entry.change_id}>
            <time dateTime={entry.changed_at}>{format.instant(Date.parse(entry.changed_at), true)}</time>{' '}
            <Word word={entry.event} /> <span class="by">{entry.by ?? texts.evaluator}</span>
            {entry.note && <p>{entry.note_by_language[state.lang] ?? entry.note}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Deliveries({ alert }: { alert: Known }) {
  const { texts, format } = usePage();
  return (
    <section>
      <h3>{texts.deliveries}</h3>
      {alert.notifications.length === 0 && <p class="faint">{texts.nobodyTold}</p>}
      <ul class="deliveries">
        {alert.notifications.map((sent) => (
          <li key={sent.notification_id}>
            <bdi>{sent.receiver}</bdi>: {sent.message_type} <Word word={sent.state} />{' '}
            {sent.sent_at && format.instant(Date.parse(sent.sent_at))}
            {sent.last_error && <p class="faint">{sent.last_error}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
