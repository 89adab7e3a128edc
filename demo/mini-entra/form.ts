// The form body of a token request, with every parameter at most once (RFC 6749 §3.2).

import { err, ok, type Result } from '#core/result.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';

export type Form = ReadonlyMap<string, string>;

/** Parses `application/x-www-form-urlencoded`; an empty value counts as absent. AADSTS90014 if a name is repeated. */
export const parseForm = (body: string): Result<Form, EntraRefusal> => {
  const pairs = [...new URLSearchParams(body)].filter(([, value]) => value !== '');
  const form = new Map(pairs);
  return form.size === pairs.length ? ok(form) : err({ code: 90014 });
};
