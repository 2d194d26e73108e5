/** Names that nobody can see: nothing but spaces, joiners, marks of direction and the like. */
import type { Answer } from '../types';

const SEEN = /[^\s\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

export function isSeen(text: string): boolean {
  return SEEN.test(text);
}

/** Returns what a campaign is called: its id where its name cannot be seen. */
export function nameOf(name: string, id: string): string {
  return isSeen(name) ? name : id;
}

/** Puts campaigns' ids in the place of names that nobody can see, in an answer's own rows. */
export function withNames(answer: Answer): Answer {
  const [name, id] = ['name', 'campaign_id'].map((wanted) => answer.columns.findIndex((one) => one.name === wanted));
  if (name === undefined || id === undefined || name < 0 || id < 0) return answer;
  for (const row of answer.rows) {
    const [shown, own] = [row[name], row[id]];
    if (typeof shown === 'string' && typeof own === 'string') row[name] = nameOf(shown, own);
  }
  return answer;
}
