// The second part of a decision: which session a recognised call goes on in, and which version of its server it is for.

import type { Deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { CallSession } from '#core/sealed-session.ts';
import type { ServerVersion } from '#core/server.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import type { Recognised } from '#ext-authz/recognise.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeSession } from '#ext-authz/revocation/judge-revocation.ts';
import { sessionOwner } from '#ext-authz/session/open-call-session.ts';
import { standsOpen } from '#ext-authz/standing.ts';
import type { Trail } from '#ext-authz/trail.ts';
import { judgeTransport } from '#ext-authz/transport.ts';
import { chooseVersion } from '#ext-authz/version/choose-version.ts';

const openSession = (
  { sessions, revocations }: PipelineParts,
  { place, call, identity }: Recognised,
  nowMs: number,
): Result<CallSession | undefined, Deny> => {
  if (call.sessionId === undefined) return ok(undefined);
  const opened = sessions.open(call.sessionId, sessionOwner(place, identity), Math.floor(nowMs / 1000));
  if (!opened.ok) return opened;
  const over = judgeSession(place.tenant, { identity, session: opened.value }, revocations);
  return over === undefined ? opened : err(over);
};

/** Where a recognised call goes: nothing of it is judged by policy yet. */
export type Directed = Recognised & {
  readonly session: CallSession | undefined;
  readonly version: ServerVersion;
};

/** Session, version and transport; the version is in `trail`, also when it refuses. Waits for nobody. */
export const direct = (
  parts: PipelineParts,
  request: HttpRequest,
  {
    recognised,
    trail,
    nowMs,
  }: { readonly recognised: Recognised; readonly trail: Trail; readonly nowMs: number },
): Result<Directed, Deny> => {
  const { place, call, identity } = recognised;
  const admitted = standsOpen(parts, request, { identity });
  if (!admitted.ok) return admitted;
  const session = openSession(parts, recognised, nowMs);
  if (!session.ok) return session;
  const { headers } = request;
  const chosen = chooseVersion({ place, identity, call, headers, session: session.value, nowMs });
  if (!chosen.ok) return chosen;
  const { version, because } = chosen.value;
  Object.assign(trail.findings, { version: version.version, versionBy: because });
  const misdirected = judgeTransport(version, call);
  return misdirected === undefined
    ? ok({ ...recognised, session: session.value, version })
    : err(misdirected);
};
