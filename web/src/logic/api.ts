/** Requests to the API of this address, with the token that was pasted for this tab. */
import { readJson } from './exact';

const KEPT = 'roi-token';

/** An answer that is not the one asked for, in the API's own words. `status` 0: nobody answered. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly told: string,
    readonly remedy: string,
  ) {
    super(told);
  }
}

/** Returns an error and its remedy as sentences; '' where nobody answered. */
export function sentences(problem: { told: string; remedy: string }): string {
  return [problem.told, problem.remedy]
    .filter((part) => part !== '')
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1).replace(/\.$/, '')}.`)
    .join(' ');
}

export function token(): string {
  return sessionStorage.getItem(KEPT) ?? '';
}

export function keepToken(value: string): void {
  if (value === '') sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, value);
}

export function headers(given: string = token()): Record<string, string> {
  return given === '' ? {} : { Authorization: `Bearer ${given}` };
}

export async function refused(response: Response): Promise<ApiError> {
  try {
    const told = (await response.json()) as { error?: string; remedy?: string };
    return new ApiError(response.status, told.error ?? response.statusText, told.remedy ?? '');
  } catch {
    return new ApiError(response.status, response.statusText || String(response.status), '');
  }
}

export async function ask<T>(
  path: string,
  options: { method?: string; body?: unknown; signal?: AbortSignal; token?: string; key?: string } = {},
): Promise<T> {
  const { method = 'GET', body, signal } = options;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...headers(options.token),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(options.key === undefined ? {} : { 'Idempotency-Key': options.key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, '', '');
  }
  if (!response.ok) throw await refused(response);
  return readJson(await response.text()) as T;
}
