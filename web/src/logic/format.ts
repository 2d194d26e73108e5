/** How values are written: by unit, language, currency and the bank's zone. Null is never a number. */
import { isSeen } from './seen';
import { instantOf, wallOf } from './time';
import type { About, Cell, Lang, Unit } from '../types';

export const NONE = '–';
const UNSEEN: Record<Lang, string> = { en: '(invisible characters)', zh: '（不可见字符）' };
/** Where a number is written short; the whole one stands in its title. */
const SHORT_FROM: Record<Lang, number> = { en: 1_000_000, zh: 10_000 };
/** So many digits at most tell a ratio from its limit; the texts of alerts have as many. */
const MOST_DIGITS = 8;
const LOCALE: Record<Lang, string> = { en: 'en-GB', zh: 'zh-CN' };

const formats = new Map<string, Intl.NumberFormat>();

function number(lang: Lang, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = lang + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) {
    found = new Intl.NumberFormat(LOCALE[lang], options);
    formats.set(key, found);
  }
  return found;
}

/** Writes values for one reader at one bank. */
export class Format {
  /** Minor units of one unit of the currency: 100 fen, 1 yen. */
  readonly minor: number;
  private readonly digits: number;

  constructor(
    readonly lang: Lang,
    readonly about: Pick<About, 'currency' | 'zone'>,
  ) {
    this.digits =
      new Intl.NumberFormat('en', { style: 'currency', currency: about.currency }).resolvedOptions()
        .maximumFractionDigits ?? 2;
    this.minor = 10 ** this.digits;
  }

  get locale(): string {
    return LOCALE[this.lang];
  }

  /**
   * Returns a value as shown; short where it is long.
   *
   * @param limit - what a ratio is held against: one that is below never reads as if it were at it.
   */
  value(value: Cell, unit: Unit, limit: Cell = null): string {
    return this.written(value, unit, false, limit);
  }

  /** Returns a value with all its digits. */
  exact(value: Cell | bigint, unit: Unit, limit: Cell = null): string {
    const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
    if (isWhole && unit === 'minor') return this.wholeMoney(BigInt(value as bigint | number));
    if (typeof value === 'bigint') return unit === 'count' ? number(this.lang, {}).format(value) : String(value);
    return this.written(value, unit, true, limit);
  }

  /** Returns a change against a former value: "+12.5 %"; null where there is nothing to compare with. */
  change(now: Cell, before: Cell): string | null {
    if (typeof now !== 'number' || typeof before !== 'number' || before === 0) return null;
    return number(this.lang, { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' }).format(
      (now - before) / Math.abs(before),
    );
  }

  instant(milliseconds: number, withSeconds = false): string {
    return this.moment(milliseconds, {
      dateStyle: 'medium',
      timeStyle: withSeconds ? 'medium' : 'short',
    });
  }

  clock(milliseconds: number): string {
    return this.moment(milliseconds, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  }

  /** Returns an instant as its time of day; with its date where it was not today. */
  recent(milliseconds: number): string {
    const today = this.moment(Date.now(), { dateStyle: 'short' }) === this.moment(milliseconds, { dateStyle: 'short' });
    return today
      ? this.moment(milliseconds, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
      : this.instant(milliseconds);
  }

  day(text: string): string {
    return new Intl.DateTimeFormat(this.locale, { dateStyle: 'medium', timeZone: 'UTC' }).format(instantOf(text));
  }

  /** Returns how the point of a time axis is written; its clock is the zone's already. */
  axis(wall: number, span: number): string {
    const days = span > 2 * 86_400_000;
    const options: Intl.DateTimeFormatOptions = days
      ? { month: 'short', day: 'numeric' }
      : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
    return new Intl.DateTimeFormat(this.locale, { ...options, timeZone: 'UTC' }).format(wall);
  }

  /** Returns an instant of a chart in full. */
  point(wall: number, isDay: boolean): string {
    const style: Intl.DateTimeFormatOptions = isDay
      ? { dateStyle: 'full' }
      : { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' };
    return new Intl.DateTimeFormat(this.locale, { ...style, timeZone: 'UTC' }).format(wall);
  }

  wall(text: string, unit: Unit): number {
    const instant = instantOf(text);
    return unit === 'day' || /^\d{4}-\d\d-\d\d$/.test(text) ? instant : wallOf(instant, this.about.zone);
  }

  private moment(milliseconds: number, options: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(this.locale, { ...options, timeZone: this.about.zone }).format(milliseconds);
  }

  private written(value: Cell, unit: Unit, exact: boolean, limit: Cell): string {
    if (value === null || value === '') return NONE;
    if (Array.isArray(value)) return value.map((one) => this.plain(one, 2, exact)).join(', ');
    if (typeof value === 'boolean') return value ? '✓' : NONE;
    if (unit === 'day') return this.day(String(value));
    if (unit === 'time') {
      return this.instant(typeof value === 'number' ? value : instantOf(value), exact);
    }
    if (unit === 'text' && typeof value === 'string' && !isSeen(value)) return UNSEEN[this.lang];
    const amount = typeof value === 'number' ? value : unit === 'text' || unit === 'state' ? Number.NaN : Number(value);
    return Number.isFinite(amount) ? this.amount(amount, unit, exact, limit) : String(value);
  }

  private amount(value: number, unit: Unit, exact: boolean, limit: Cell = null): string {
    switch (unit) {
      case 'minor':
        return this.money(value / this.minor, exact);
      case 'share':
        return number(this.lang, {
          style: 'percent',
          minimumFractionDigits: exact ? 0 : 1,
          maximumFractionDigits: exact ? 6 : Math.abs(value) < 0.01 ? 2 : 1,
        }).format(value);
      case 'ratio':
        return this.ratio(value, exact ? 6 : 2, limit);
      case 'p':
        return value < 0.0001 && !exact
          ? '<0.0001'
          : number(this.lang, { maximumFractionDigits: exact ? 10 : 4 }).format(value);
      case 'bytes':
        return this.bytes(value);
      case 'seconds':
        return exact ? `${this.plain(value, 2, exact)} s` : this.duration(value);
      case 'hours':
        return `${this.plain(value, 1, exact)} ${this.lang === 'zh' ? '小时' : 'h'}`;
      case 'days':
        return `${this.plain(value, 1, exact)} ${this.lang === 'zh' ? '天' : 'd'}`;
      case 'rate':
        return `${this.plain(value, 1, exact)}${this.lang === 'zh' ? '/秒' : '/s'}`;
      default:
        return this.plain(value, 2, exact);
    }
  }

  /** Returns a ratio on its side of the limit also where rounding would carry it over; the limit as it was set. */
  private ratio(value: number, least: number, limit: Cell): string {
    let digits = least;
    if (typeof limit === 'number') {
      const isTold = (rounded: number): boolean =>
        value === limit ? rounded === limit : value < limit ? rounded < limit : rounded >= limit;
      while (digits < MOST_DIGITS && !isTold(Number(value.toFixed(digits)))) digits += 1;
    }
    return number(this.lang, { minimumFractionDigits: 2, maximumFractionDigits: digits }).format(value);
  }

  /** Returns a time span in the unit that people would say it in. */
  private duration(seconds: number): string {
    const size = Math.abs(seconds);
    if (size < 120) return `${this.plain(seconds, 2, false)} s`;
    if (size < 7200) return `${this.plain(seconds / 60, 0, false)} ${this.lang === 'zh' ? '分钟' : 'min'}`;
    return size < 2 * 86_400
      ? this.amount(seconds / 3600, 'hours', false)
      : this.amount(seconds / 86_400, 'days', false);
  }

  private money(value: number, exact: boolean): string {
    const base = { style: 'currency', currency: this.about.currency, currencyDisplay: 'narrowSymbol' } as const;
    if (exact) return number(this.lang, { ...base, minimumFractionDigits: this.digits }).format(value);
    const size = Math.abs(value);
    if (size >= SHORT_FROM[this.lang]) {
      return number(this.lang, { ...base, notation: 'compact', minimumFractionDigits: 2, maximumFractionDigits: 2 })
        .format(value)
        .replace('m', 'M');
    }
    const digits = size >= 100 || size === 0 ? 0 : this.digits;
    return number(this.lang, { ...base, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  }

  /** As a decimal, never by way of a double: that has fewer digits than a bank's sums. */
  private wholeMoney(minor: bigint): string {
    const digits = String(minor < 0n ? -minor : minor).padStart(this.digits + 1, '0');
    const whole = digits.slice(0, digits.length - this.digits);
    const text = `${minor < 0n ? '-' : ''}${whole}.${digits.slice(whole.length)}0` as `${number}`;
    const base = { style: 'currency', currency: this.about.currency, currencyDisplay: 'narrowSymbol' } as const;
    return number(this.lang, { ...base, minimumFractionDigits: this.digits }).format(text);
  }

  private plain(value: number, digits: number, exact: boolean): string {
    if (exact) return number(this.lang, { maximumFractionDigits: 6 }).format(value);
    if (Math.abs(value) >= (this.lang === 'zh' ? 1_000_000 : 10_000_000)) {
      return number(this.lang, { notation: 'compact', maximumFractionDigits: 2 }).format(value).replace('m', 'M');
    }
    const most = Math.abs(value) >= 1000 ? 0 : digits;
    return number(this.lang, { maximumFractionDigits: most }).format(value);
  }

  private bytes(value: number): string {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    const power = value < 1 ? 0 : Math.min(Math.floor(Math.log(value) / Math.log(1000)), units.length - 1);
    return `${this.plain(value / 1000 ** power, 1, false)} ${units[power] ?? 'B'}`;
  }
}
