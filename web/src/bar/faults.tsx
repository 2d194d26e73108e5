/** What is at fault with the instance, in the words of `roi status`: on every board, for numbers stand still by it. */
import { useEffect, useState } from 'preact/hooks';
import { ask, sentences } from '../logic/api';
import { usePage } from '../logic/context';
import { fill } from '../logic/i18n';
import type { Fault } from '../types';

const LOOK_MS = 5000;
/** So many are told on the page. */
const MOST = 6;

export function askFaults(): Promise<Fault[]> {
  return ask<Fault[]>('api/faults');
}

export function Faults({ known }: { known: Fault[] }) {
  const { texts } = usePage();
  const [faults, setFaults] = useState(known);
  useEffect(() => {
    let isAsking = false; // a look at what is frozen takes some seconds
    const look = (): void => {
      if (isAsking || document.hidden) return;
      isAsking = true;
      askFaults()
        .then(setFaults)
        .catch(() => undefined) // who does not answer is told of as that
        .finally(() => (isAsking = false));
    };
    look();
    const looking = setInterval(look, LOOK_MS);
    return () => clearInterval(looking);
  }, []);
  if (faults.length === 0) return null;
  const isFailing = faults.some((fault) => fault.severity === 'failed');
  return (
    <div class={isFailing ? 'notice failed trouble faults' : 'notice trouble faults'} role="alert">
      <strong>{isFailing ? texts.atFault : texts.warned}</strong>
      <ul>
        {faults.slice(0, MOST).map((fault, index) => (
          <li key={index}>
            <b>{fault.part}</b>: {sentences({ told: fault.cause, remedy: fault.remedy })}
          </li>
        ))}
      </ul>
      {faults.length > MOST && <p>{fill(texts.moreFaults, { n: faults.length - MOST })}</p>}
    </div>
  );
}
