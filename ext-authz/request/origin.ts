// Which web pages may call. A browser sends `Origin` and pages cannot forge it, so it is the one defence against
// DNS rebinding and against pages that use a user's network position; other clients send none.

import { type Deny, deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';

/** The allowed origin a request comes from; undefined if it names none. */
export type JudgedOrigin = string | undefined;

/**
 * Origins are compared as browsers serialise them (RFC 6454 §6.2), byte by byte; `null` is never allowed, whatever
 * the list says, because every sandboxed page sends it.
 * @returns the origin for CORS headers, or origin_forbidden.
 */
export const judgeOrigin = (
  request: Pick<HttpRequest, 'headers'>,
  allowedOrigins: readonly string[],
): Result<JudgedOrigin, Deny> => {
  const given = request.headers.get('origin');
  if (given === undefined) return ok(undefined);
  const [origin] = given;
  const isAllowed =
    given.length === 1 && origin !== undefined && origin !== 'null' && allowedOrigins.includes(origin);
  return isAllowed
    ? ok(origin)
    : err(
        deny('origin_forbidden', {
          public: { field: 'origin' },
          log: { origin: given.join(', ').slice(0, 200) },
        }),
      );
};

/** True for a CORS preflight (Fetch §3.2.2): it carries no credential and asks only what would be allowed. */
export const isPreflight = ({ method, headers }: Pick<HttpRequest, 'method' | 'headers'>): boolean =>
  method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method');
