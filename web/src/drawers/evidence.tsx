/** What is behind a number: what `roi explain` says of a campaign, in place. */
import { useEffect, useState } from 'preact/hooks';
import { Drawer } from './drawer';
import { Refusal } from './refusal';
import { ApiError, ask } from '../logic/api';
import { exactOf } from '../logic/exact';
import { nameOf } from '../logic/seen';
import { usePage, worded } from '../logic/context';
import { fill } from '../logic/i18n';
import type { Evidence as Found, EvidenceList, EvidenceRow, Unit } from '../types';

const FIELDS: Record<EvidenceList, string[]> = {
  credits: [
    'at',
    'credit_millionths',
    'return_minor',
    'aum_minor',
    'variant',
    'tier',
    'customer_hash',
    'touched_at',
    'transaction_event_id',
    'touch_event_id',
  ],
  transactions: ['at', 'kind', 'amount_minor', 'effective_minor', 'customer_hash', 'event_id', 'reverses', 'source'],
  touches: [
    'at',
    'kind',
    'channel',
    'cost_minor',
    'creditable',
    'variant',
    'tier',
    'customer_hash',
    'event_id',
    'source',
  ],
  costs: ['at', 'category', 'amount_minor', 'variant', 'event_id', 'source'],
};
const SUMS = ['touches', 'reached', 'conversion_millionths', 'converters', 'cost_minor', 'return_minor', 'aum_minor'];

export function Evidence({ campaign, metric, label }: { campaign: string; metric: string; label: string }) {
  const page = usePage();
  const { texts, go, state } = page;
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const run = state.values.run?.[0] ?? 'live';

  useEffect(() => {
    const controller = new AbortController();
    setFound(null);
    setError(null);
    const query = new URLSearchParams({ metric, run, limit: '50' });
    ask<Found>(`api/explain/${encodeURIComponent(campaign)}?${query.toString()}`, { signal: controller.signal })
      .then(setFound)
      .catch((wrong: unknown) => wrong instanceof ApiError && setError(wrong));
    return () => controller.abort();
  }, [campaign, metric, run]);

  const command = `roi explain ${campaign}${run === 'live' ? '' : ` --run ${run}`}`;
  return (
    <Drawer
      title={fill(texts.evidenceOf, { metric: label, campaign: nameOf(found?.name ?? '', campaign) })}
      close={() => go({ explain: '', metric: '' })}
    >
      {error && <Refusal error={error} />}
      {!found && !error && <p class="notice loading">{texts.loadingEvidence}</p>}
      {found && (
        <>
          {found.metric && <p class="formula">{texts.formulas[found.metric.name] ?? found.metric.formula}</p>}
          <Sums found={found} />
          {found.lists.map((list) => (
            <List key={list} name={list} found={found} />
          ))}
          <p class="faint">
            {texts.hashed} {fill(texts.times, { zone: page.about.zone })}
          </p>
          <details class="raw">
            <summary>{texts.forEngineers}</summary>
            <dl>
              <dt>{texts.rawCampaign}</dt>
              <dd>
                <code>{campaign}</code>
              </dd>
              {found.metric && (
                <>
                  <dt>{texts.rawMetric}</dt>
                  <dd>
                    <code>{found.metric.name}</code> ({found.metric.unit}): {found.metric.formula}
                  </dd>
                </>
              )}
              <dt>{texts.inTerminal}</dt>
              <dd>
                <code>{command}</code>
              </dd>
            </dl>
          </details>
        </>
      )}
    </Drawer>
  );
}

function Sums({ found }: { found: Found }) {
  const { texts, format } = usePage();
  const unit = (name: string): Unit => (name.endsWith('_minor') ? 'minor' : 'count');
  const value = (name: string, sums: Record<string, number>): string =>
    format.exact(name === 'conversion_millionths' ? (sums[name] ?? 0) / 1e6 : exactOf(sums, name), unit(name));
  return (
    <>
      <p class={found.adds_up ? 'verdict good' : 'verdict bad'} role="status">
        {found.adds_up
          ? `✓ ${texts.addsUp}`
          : `✗ ${texts.differs} ${Object.keys(found.differences)
              .map((name) => texts.fields[name] ?? name)
              .join(', ')}`}
      </p>
      <div class="scrolled">
        <table>
          <caption>{texts.sums}</caption>
          <thead>
            <tr>
              <td />
              <th scope="col" class="right">
                {texts.byRecords}
              </th>
              <th scope="col" class="right">
                {texts.onBoard}
              </th>
            </tr>
          </thead>
          <tbody>
            {SUMS.map((name) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  {texts.fields[name] ?? name}
                </th>
                <td class="right">{value(name, found.evidence)}</td>
                <td class="right">{value(name, found.cell)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function List({ name, found }: { name: EvidenceList; found: Found }) {
  const { texts } = usePage();
  const rows = found[name];
  const all = found.counts[name];
  const fields = FIELDS[name];
  return (
    <section class="list">
      <h3>
        {texts.lists[name]}{' '}
        {all !== undefined && <small>{fill(texts.ofAll, { n: rows.length, all: all.toLocaleString() })}</small>}
      </h3>
      {rows.length === 0 ? (
        <p class="faint">{texts.none}</p>
      ) : (
        <div class="scrolled" tabIndex={0} role="region" aria-label={texts.lists[name]}>
          <table>
            <thead>
              <tr>
                {fields.map((field) => (
                  <th key={field} scope="col" title={field}>
                    {texts.fields[field] ?? field}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                <tr key={index}>
                  {fields.map((field) => (
                    <td key={field}>
                      <Field name={field} row={row} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Fields whose words people read in their language. */
const WORDED = new Set(['kind', 'category', 'channel']);

function Field({ name, row }: { name: string; row: EvidenceRow }) {
  const page = usePage();
  const { format, texts } = page;
  if (name === 'source')
    return <code>{`${String(row.topic)} / ${String(row.partition)} / ${String(row.offset)}`}</code>;
  const value = row[name] ?? null;
  if (name.endsWith('_minor')) return <>{format.exact(exactOf(row, name), 'minor')}</>;
  if (name === 'credit_millionths') return <>{format.exact(Number(value) / 1e6, 'share')}</>;
  if (name === 'at' || name.endsWith('_at')) return <>{format.exact(value, 'time')}</>;
  if (name.endsWith('_id') || name === 'customer_hash' || name === 'reverses') {
    const text = value === null || value === '' ? '–' : String(value);
    return <code title={text}>{text}</code>;
  }
  if (WORDED.has(name) && typeof value === 'string' && value !== '') {
    return <bdi title={value}>{texts.kinds[value] ?? worded(page, value).text}</bdi>;
  }
  return <bdi>{format.value(value, typeof value === 'number' ? 'count' : 'text')}</bdi>;
}
