// Parameters of a query or a form: each at most once (RFC 6749 §3.1, §3.2), because of two values one party reads the first
// and another the last.

import { ok, type Result } from '#core/result.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';

export type Parameters = ReadonlyMap<string, string>;

/** Longest value that is read at all, characters: codes of providers and sealed texts are the longest there are. */
const MAX_VALUE = 8_192;

/** Parses `application/x-www-form-urlencoded`; a parameter without a value counts as left out (RFC 6749 §3.1). */
export const parseParameters = (text: string): Result<Parameters, Refusal> => {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) return refuse('invalid_request', 'A parameter is given more than once.');
    if (value.length > MAX_VALUE) return refuse('invalid_request', 'A parameter is too long.');
    if (value !== '') parameters.set(name, value);
  }
  return ok(parameters);
};
