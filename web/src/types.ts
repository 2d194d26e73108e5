/** What the API answers: definitions of boards and panels, and their numbers. */

export type Lang = 'en' | 'zh';
export type Words = Record<Lang, string>;

export type Chart = 'figures' | 'table' | 'time' | 'bars' | 'line' | 'funnel' | 'heatmap' | 'regions';
export type Role =
  | 'time'
  | 'x'
  | 'y'
  | 'label'
  | 'value'
  | 'low'
  | 'high'
  | 'limit'
  | 'previous'
  | 'end'
  | 'counted'
  | 'hidden'
  | 'foreign';
export type Unit =
  | 'text'
  | 'state'
  | 'time'
  | 'day'
  | 'minor'
  | 'count'
  | 'share'
  | 'ratio'
  | 'p'
  | 'days'
  | 'hours'
  | 'seconds'
  | 'rate'
  | 'bytes'
  | 'series';
export type Colour = 'red' | 'amber' | 'green' | 'grey' | 'blue';

export interface Column {
  name: string;
  labels: Words;
  unit: Unit;
  role: Role;
  /** (from which value on, colour) in rising order; the first from null on. */
  steps: [number | null, Colour][];
  /** Of its texts: only readers of that language see it; '' = all do. */
  language: Lang | '';
  /** Columns that count what is left out because nobody can tell yet: while one is not 0, the value is no all-clear. */
  doubts: string[];
}

export interface Panel {
  id: string;
  board: string;
  titles: Words;
  descriptions: Words;
  /** What it means that there is no row; null = there are no data in the period. */
  empties: Words | null;
  chart: Chart;
  width: number;
  height: number;
  source: 'clickhouse' | 'prometheus';
  columns: Column[];
  drill: { board: string; takes: Record<string, string> } | null;
  explains: string;
}

export interface Variable {
  name: string;
  labels: Words;
  multiple: boolean;
  /** Of a choice of one: what is shown where nothing is chosen; '' = the newest there is. */
  default: string;
}

export interface Board {
  id: string;
  titles: Words;
  descriptions: Words;
  latest: string;
  variables: Variable[];
  panels: string[];
}

export type Cell = string | number | boolean | null | number[];

export interface Answer {
  id: string;
  columns: { name: string; type: string; unit: Unit }[];
  rows: Cell[][];
  tag: string;
  from: number;
  to: number;
  latest: number;
}

export interface Problem {
  error: string;
  remedy: string;
}

/** What is at fault with the instance, as `roi status` tells it. */
export interface Fault {
  part: string;
  cause: string;
  remedy: string;
  severity: 'failed' | 'warning';
}

export interface About {
  version: string;
  currency: string;
  zone: string;
  tokens: boolean;
  four_eyes: boolean;
}

/** What people read instead of the words in columns of unit `state`. */
export type WordList = Record<string, Words & { colour: Colour }>;

export interface WhoAmI {
  name: string | null;
  role: 'viewer' | 'decider';
}

export interface Choice {
  value: string;
  text: string;
}

export interface AlertRow {
  alert_id: string;
  campaign_id: string;
  campaign_name: string;
  owner: string | null;
  state: string;
  opened_at: string | null;
  changed_at: string | null;
  as_of: string | null;
  return_ratio: number | null;
  upper_bound: number | null;
  matured_share: number | null;
  money_at_risk_minor: number | null;
  decision: string | null;
  decided_by: string | null;
  reason: string;
}

export interface AlertRecord {
  reasons?: string[];
  reasons_by_language?: Record<Lang, string[]>;
  rule?: { min_return_ratio?: number; confidence?: number };
  forecast_ratio?: { low: number | null; value: number | null; high: number | null } | null;
  cost_minor?: number | null;
  return_minor?: number | null;
  converters?: number | null;
  advice?: { segment: string; label: string; ratio_without: number | null } | null;
  decisions_by_model?: Record<string, boolean | null>;
  proposal?: { by: string; reason: string; at: string } | null;
  stop_id?: string | null;
}

export interface AlertEntry {
  change_id: string;
  changed_at: string;
  event: string;
  previous_state: string;
  state: string;
  by: string | null;
  note: string;
  note_by_language: Partial<Words>;
}

export interface Week {
  cost_minor: number;
  return_minor: number;
  return_ratio: number | null;
}

export interface Alert extends AlertRow {
  record: AlertRecord;
  history: AlertEntry[];
  notifications: {
    notification_id: string;
    receiver: string;
    state: string;
    message_type: string;
    attempts: number;
    sent_at: string | null;
    last_error: string;
    changed_at: string;
  }[];
  actions: { action_id: string; action: string; by: string; at: string; state: string; why: string }[];
  after_decision: {
    days: number;
    days_so_far: number;
    before: Week;
    after: Week | null;
    spend_avoided_minor: number | null;
  } | null;
}

export interface Silence {
  silence_id: string;
  state: 'active' | 'ended';
  campaign_id: string | null;
  owner: string | null;
  until: string;
  by: string;
  reason: string;
}

export type EvidenceRow = Record<string, string | number | boolean | null>;

export interface Evidence {
  campaign_id: string;
  /** What people call the campaign. */
  name: string;
  run: string;
  metric: { name: string; label: string; formula: string; unit: string } | null;
  lists: EvidenceList[];
  credits: EvidenceRow[];
  transactions: EvidenceRow[];
  touches: EvidenceRow[];
  costs: EvidenceRow[];
  counts: Record<string, number>;
  evidence: Record<string, number>;
  cell: Record<string, number>;
  differences: Record<string, number>;
  adds_up: boolean;
}
export type EvidenceList = 'credits' | 'transactions' | 'touches' | 'costs';
