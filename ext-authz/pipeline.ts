// The decision, step by step, on one screen. Each step yields what the next one needs or the refusal that ends it.
// Knows no gRPC and no protobuf: those are in check.ts and response/.

import { allow, type Decision, type Deny, deny } from '#core/decision.ts';
import { NO_DRIFT } from '#core/drift-book.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { ServerVersion } from '#core/server.ts';
import { settleApproval } from '#ext-authz/approval/approvals.ts';
import { holdArguments } from '#ext-authz/arguments/hold-arguments.ts';
import { judgeAssurance } from '#ext-authz/assurance.ts';
import { type Directed, direct } from '#ext-authz/direct.ts';
import { hideDriftingTools } from '#ext-authz/drift/judge-drift.ts';
import type { Place } from '#ext-authz/locate.ts';
import { guardOrders } from '#ext-authz/orders.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import { recognise } from '#ext-authz/recognise.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { takeUp } from '#ext-authz/session/take-up.ts';
import { standsGranted } from '#ext-authz/standing.ts';
import { steer } from '#ext-authz/steering.ts';
import { hideSwitchedTools } from '#ext-authz/switches.ts';
import type { ExchangeCause } from '#ext-authz/token/exchange-job.ts';
import type { Trail } from '#ext-authz/trail.ts';

/** What an exchange is made for, in the audit and in traces. */
const causeOf = ({ requestId, headers }: HttpRequest): ExchangeCause => {
  const [traceparent, ...others] = headers.get('traceparent') ?? [];
  return traceparent === undefined || others.length > 0 ? { requestId } : { requestId, traceparent };
};

/**
 * Waits for the registry, and so comes after everything that could refuse the call sooner. At the deadline the caller has been
 * refused (check.ts): no approval is used up by a call that is not made any more.
 */
const holdForApproval = async (
  { askApproval }: PipelineParts,
  { place, call, identity, version }: Directed,
  {
    rules = [],
    trail,
    signal,
  }: {
    readonly rules: readonly string[] | undefined;
    readonly trail: Trail;
    readonly signal: AbortSignal;
  },
): Promise<Deny | undefined> => {
  if (rules.length === 0) return undefined;
  if (signal.aborted) return deny('deadline_exceeded', { log: { waitedFor: 'approval' } });
  const where = { tenantId: place.tenant.id, serverId: place.server.id, version: version.version };
  const settled = await settleApproval(askApproval, { ...where, identity, call, rules });
  trail.step('approval', settled.ok ? { approval: settled.value } : {});
  return settled.ok ? undefined : settled.error;
};

/** The lists of an answer without the tools to which calls are refused at the moment. */
const hideRefusedTools = (
  parts: PipelineParts,
  lists: readonly ListOrder[],
  {
    place,
    version,
    nowMs,
  }: { readonly place: Place; readonly version: ServerVersion; readonly nowMs: number },
): readonly ListOrder[] => {
  const left = hideSwitchedTools(lists, { ...place, version }, nowMs);
  return hideDriftingTools(left, parts.world().drift ?? NO_DRIFT, { place, version });
};

/** What a granted call has to pass: that, then assurance, as nobody should sign in again for what is off, and its arguments. */
const permit = (
  parts: PipelineParts,
  request: HttpRequest,
  { directed, trail }: { readonly directed: Directed; readonly trail: Trail },
): Result<true, Deny> => {
  const { identity, call, version, place } = directed;
  const { tenant, server } = place;
  const open = standsGranted(parts, request, directed);
  if (!open.ok) return open;
  const refusal =
    judgeAssurance({ tenant, server, identity, call }) ??
    holdArguments({ place, call, version, bodyLength: request.body.length }, trail);
  return refusal === undefined ? ok(true) : err(refusal);
};

/**
 * Judges one MCP call. What it learns on the way goes into `trail`, also when it refuses.
 * @param signal ends waits for others (keys, token exchange) at the deadline of the check.
 */
export const decide = async (
  parts: PipelineParts,
  request: HttpRequest,
  { trail, signal }: { readonly trail: Trail; readonly signal: AbortSignal },
): Promise<Decision> => {
  const nowMs = parts.nowMs();
  const recognised = await recognise(parts, request, { trail, nowMs, signal });
  if (!recognised.ok) return recognised.error;
  const directed = direct(parts, request, { recognised: recognised.value, trail, nowMs });
  if (!directed.ok) return directed.error;
  const { place, call, identity, assertion, session, version } = directed.value;
  const { tenant, server } = place;

  const facts = { nowMs, ip: request.clientAddress, session: session?.reference, id: request.requestId };
  const judgement = await parts.policy.judge({ tenant, server, version, identity, call, request: facts });
  trail.step('policy', { policyRevision: judgement.revision });
  if (!judgement.ok) return judgement.error;
  const { obligations } = judgement.value;
  if (obligations.logLevel !== undefined) trail.findings.logLevel = obligations.logLevel;

  // After the policy: to a caller without the tool, one that is switched off must read like one that is not there.
  const permitted = permit(parts, request, { directed: directed.value, trail });
  if (!permitted.ok) return permitted.error;
  const { lists: asked } = judgement.value;
  const taken = takeUp(parts.sessions, directed.value, {
    lists: asked,
    nowSeconds: Math.floor(nowMs / 1000),
  });
  if (!taken.ok) return taken.error;
  const { resumption, ...thread } = taken.value;

  // A token is judged by the time it goes out at, not by that at which the call came in.
  const nowSeconds = parts.nowMs() / 1000;
  const cause = causeOf(request);
  const wanted = { tenant, server, identity, assertion, cause, nowSeconds, signal };
  const upstream = await parts.broker.acquire(wanted);
  trail.step('exchange', upstream.ok ? { tokenSource: upstream.value.source } : {});
  if (!upstream.ok) return upstream.error;

  const held = await holdForApproval(parts, directed.value, { rules: obligations.approval, trail, signal });
  if (held !== undefined) return held;

  const present = standsGranted(parts, request, directed.value);
  if (!present.ok) return present.error;
  const lists = hideRefusedTools(parts, asked, { place: present.value, version, nowMs });
  const known = { place, call, identity, version, session: session?.reference, obligations, ...thread };
  const orders = guardOrders({ ...known, requestId: request.requestId, lists });
  return allow({
    identity,
    version: orders.version,
    upstreamToken: upstream.value.token,
    ...(upstream.value.header === undefined ? {} : { upstreamHeader: upstream.value.header }),
    orders,
    steering: steer({ place, version, identity, call, session }),
    ...(session === undefined ? {} : { session }),
    ...resumption,
  });
};
