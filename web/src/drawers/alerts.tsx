/** All open alerts, those with the most money at risk first. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { Drawer } from './drawer';
import { Refusal } from './refusal';
import { ApiError, ask } from '../logic/api';
import { usePage, useWhenChanged } from '../logic/context';
import { nameOf } from '../logic/seen';
import { Word } from '../panels/value';
import type { AlertRow } from '../types';

const OPEN = new Set(['firing', 'acknowledged', 'decided']);

export function isOpen(alert: AlertRow): boolean {
  return OPEN.has(alert.state);
}

export function AlertList() {
  const { texts, format, go } = usePage();
  const [alerts, setAlerts] = useState<AlertRow[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const load = useCallback(
    () =>
      ask<AlertRow[]>('api/alerts')
        .then((all) => {
          setAlerts(all.filter(isOpen));
          setError(null);
        })
        .catch((wrong: unknown) => wrong instanceof ApiError && setError(wrong)),
    [],
  );
  useEffect(() => void load(), [load]);
  useWhenChanged(load);
  return (
    <Drawer title={texts.alerts} close={() => go({ list: false })}>
      {error && <Refusal error={error} />}
      {!alerts && !error && <p class="notice loading">{texts.loading}</p>}
      {alerts?.length === 0 && <p class="notice empty">{texts.noAlerts}</p>}
      <ul class="alerts">
        {alerts?.map((alert) => (
          <li key={alert.alert_id}>
            <button type="button" onClick={() => go({ alert: alert.alert_id, list: false })}>
              <bdi class="name">{nameOf(alert.campaign_name, alert.campaign_id)}</bdi>
              <Word word={alert.state} />
              <span class="risk">
                {texts.atRisk}:{' '}
                {alert.money_at_risk_minor === null
                  ? texts.none_noRisk
                  : format.value(alert.money_at_risk_minor, 'minor')}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Drawer>
  );
}
