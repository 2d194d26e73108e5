/** One panel: its frame, what it says of itself, and its numbers, whatever state they are in. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Chart } from './chart';
import { Figures } from './figures';
import { Funnel } from './funnel';
import { Table } from './table';
import { usePage, useShown } from '../logic/context';
import { csvOf, download } from '../logic/csv';
import { sentences } from '../logic/api';
import { fill } from '../logic/i18n';
import { countedAt, isEmpty } from '../logic/rows';
import type { Answer, Panel as Definition } from '../types';

const ROW_PIXELS = 38;
/** A panel is watched a little before it comes to sight. */
const MARGIN = '160px';

export function Panel({ panel }: { panel: Definition }) {
  const { state, store, texts } = usePage();
  const { answer, problem, old } = useShown(panel.id);
  const [asTable, setAsTable] = useState(false);
  const [explained, setExplained] = useState(false);
  const element = useRef<HTMLElement>(null);

  useEffect(() => {
    if (!element.current) return;
    const observer = new IntersectionObserver(
      (entries) =>
        store.see(
          panel.id,
          entries.some((entry) => entry.isIntersecting),
        ),
      {
        rootMargin: MARGIN,
      },
    );
    observer.observe(element.current);
    return () => {
      observer.disconnect();
      store.see(panel.id, false);
    };
  }, [panel.id, store]);

  const title = panel.titles[state.lang];
  return (
    <section
      class={`panel kind-${panel.chart}`}
      id={panel.id}
      ref={element}
      aria-labelledby={`${panel.id}-title`}
      aria-busy={(answer === null || old) && problem === null}
      data-state={problem ? 'failed' : answer === null ? 'loading' : old ? 'old' : isEmpty(answer) ? 'empty' : 'shown'}
      style={{ '--width': panel.width, '--height': `${panel.height * ROW_PIXELS}px` }}
    >
      <header>
        <h2 id={`${panel.id}-title`}>
          {title} <Counted panel={panel} answer={answer} />
        </h2>
        <Tools
          panel={panel}
          answer={answer}
          asTable={asTable}
          setAsTable={setAsTable}
          explained={explained}
          setExplained={setExplained}
        />
      </header>
      <p class="description" id={`${panel.id}-about`} hidden={!explained}>
        {panel.descriptions[state.lang]}
      </p>
      <div class="body">
        {(answer !== null || problem === null || panel.chart === 'figures') && (
          <Body panel={panel} answer={answer} asTable={asTable} />
        )}
        {problem && (
          <div class="notice failed" role="status">
            <strong>{answer ? texts.stillOld : texts.failed}</strong>{' '}
            {sentences({ told: problem.error, remedy: problem.remedy })}
          </div>
        )}
      </div>
    </section>
  );
}

/** Panels that are Grafana's to draw: what one can see there. */
export function Elsewhere({ panels }: { panels: Definition[] }) {
  const { state, texts } = usePage();
  if (panels.length === 0) return null;
  return (
    <section class="elsewhere" aria-labelledby="elsewhere-title">
      <h2 id="elsewhere-title">{texts.prometheus}</h2>
      <ul>
        {panels.map((panel) => (
          <li key={panel.id} title={panel.descriptions[state.lang]}>
            {panel.titles[state.lang]}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** When the figures were counted, where that is some time ago. */
function Counted({ panel, answer }: { panel: Definition; answer: Answer | null }) {
  const { texts, format } = usePage();
  const at = answer && countedAt(panel, answer);
  if (at === null) return null;
  return (
    <span class="counted" title={format.instant(at, true)}>
      {fill(texts.counted, { at: format.recent(at) })}
    </span>
  );
}

function Body({ panel, answer, asTable }: { panel: Definition; answer: Answer | null; asTable: boolean }) {
  const { texts, state } = usePage();
  if (panel.chart === 'figures') return <Figures panel={panel} answer={answer} />;
  if (answer === null) return <p class="notice loading">{texts.loading}</p>;
  if (answer.rows.length === 0) {
    return (
      <p class="notice empty">
        {panel.empties ? (
          panel.empties[state.lang]
        ) : (
          <>
            <strong>{texts.empty}</strong> {texts.emptyRemedy}
          </>
        )}
      </p>
    );
  }
  if (panel.chart === 'table' || asTable) return <Table panel={panel} answer={answer} />;
  if (panel.chart === 'funnel') return <Funnel panel={panel} answer={answer} />;
  return <Chart panel={panel} answer={answer} />;
}

function Tools(props: {
  panel: Definition;
  answer: Answer | null;
  asTable: boolean;
  setAsTable: (value: boolean) => void;
  explained: boolean;
  setExplained: (value: boolean) => void;
}) {
  const { state, texts, about } = usePage();
  const { panel, answer, asTable, setAsTable, explained, setExplained } = props;
  const title = panel.titles[state.lang];
  const other = asTable ? texts.asChart : texts.asTable;
  const save = (): void => {
    if (!answer) return;
    download(`${panel.id}.csv`, csvOf(answer.columns, answer.rows, about.zone));
  };
  return (
    <span class="tools">
      {!['figures', 'table'].includes(panel.chart) && (
        <button
          type="button"
          data-tool="table"
          aria-pressed={asTable}
          aria-label={`${other}: ${title}`}
          title={other}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? '◔' : '▤'}
        </button>
      )}
      <button
        type="button"
        data-tool="csv"
        aria-label={`${texts.csv}: ${title}`}
        title={texts.csv}
        disabled={!answer}
        onClick={save}
      >
        ⤓
      </button>
      <button
        type="button"
        data-tool="about"
        aria-expanded={explained}
        aria-controls={`${panel.id}-about`}
        aria-label={`${texts.about}: ${title}`}
        title={panel.descriptions[state.lang]}
        onClick={() => setExplained(!explained)}
      >
        ?
      </button>
    </span>
  );
}
