/** What was typed and not sent yet: it outlives the form, should the page ask for a token in between. */
import { useState } from 'preact/hooks';

const drafts = new Map<string, string>();

/** Returns a text that is kept under a key until it is dropped, and its setter. */
export function useDraft(key: string): [string, (text: string) => void] {
  const [text, setText] = useState(() => drafts.get(key) ?? '');
  const set = (next: string): void => {
    if (next === '') drafts.delete(key);
    else drafts.set(key, next);
    setText(next);
  };
  return [text, set];
}

/** Forgets what was sent; without a key everything, as whoever comes next is another. */
export function dropDraft(key?: string): void {
  if (key === undefined) drafts.clear();
  else drafts.delete(key);
}
