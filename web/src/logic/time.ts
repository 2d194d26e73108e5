/** Instants in the bank's zone: what ClickHouse writes is UTC, what people read is the business day's clock. */

const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(zone: string): Intl.DateTimeFormat {
  let found = clocks.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    clocks.set(zone, found);
  }
  return found;
}

/** Returns epoch milliseconds of an answer's instant: "2026-01-31 08:00:00.123" in UTC, RFC 3339, or a day at midnight UTC. */
export function instantOf(text: string): number {
  const iso = text.replace(' ', 'T');
  return Date.parse(/([Zz]|[+-]\d\d:?\d\d)$/.test(iso) || !iso.includes('T') ? iso : `${iso}Z`);
}

/** Returns how far a zone's clock is ahead of UTC at an instant, in milliseconds. */
export function offsetOf(instant: number, zone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of clock(zone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const whole = Math.floor(instant / 1000) * 1000;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}

/** Returns an instant such that its UTC clock shows what the zone's clock shows: for charts, which know UTC only. */
export function wallOf(instant: number, zone: string): number {
  return instant + offsetOf(instant, zone);
}

/** Returns the instant at which a zone's clock shows a minute ("2026-01-31T08:00"). */
export function instantAt(minute: string, zone: string): number {
  const utc = Date.parse(`${minute}:00Z`);
  const guess = utc - offsetOf(utc, zone);
  return utc - offsetOf(guess, zone);
}

/** Returns the first instant of a business day ("2026-01-31") in a zone. */
export function midnightOf(day: string, zone: string): number {
  return instantAt(`${day}T00:00`, zone);
}

/** Returns the minute that a zone's clock shows at an instant ("2026-01-31T08:00"). */
export function minuteOf(instant: number, zone: string): string {
  return new Date(wallOf(instant, zone)).toISOString().slice(0, 16);
}

/** Returns an instant on a zone's clock, as RFC 3339 with its offset. */
export function writtenIn(instant: number, zone: string): string {
  const minutes = Math.round(offsetOf(instant, zone) / 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const size = Math.abs(minutes);
  const clock = new Date(instant + minutes * 60_000).toISOString().slice(0, 23).replace('.000', '');
  return `${clock}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Returns the business day of an instant. */
export function dayOf(instant: number, zone: string): string {
  return new Date(wallOf(instant, zone)).toISOString().slice(0, 10);
}
