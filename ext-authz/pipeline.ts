// The decision, step by step, on one screen. Each step yields what the next one needs or the refusal that ends it.
// Knows no gRPC and no protobuf: those are in check.ts and response/.

import { allow, type Decision, type Deny } from '#core/decision.ts';
import { NO_DRIFT } from '#core/drift-book.ts';
import { endpointUrl } from '#core/endpoint-path.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { RevocationBook } from '#core/revocation-book.ts';
import type { CallSession } from '#core/sealed-session.ts';
import type { Secret } from '#core/secret.ts';
import type { ServerVersion } from '#core/server.ts';
import { type AskApproval, settleApproval } from '#ext-authz/approval/approvals.ts';
import { holdArguments } from '#ext-authz/arguments/hold-arguments.ts';
import { judgeAssurance } from '#ext-authz/assurance.ts';
import { hideDriftingTools, judgeDrift } from '#ext-authz/drift/judge-drift.ts';
import type { Authenticator } from '#ext-authz/identity/authenticate.ts';
import { locate, type Place, rootUrlOf, type World } from '#ext-authz/locate.ts';
import { guardOrders } from '#ext-authz/orders.ts';
import type { CallPolicy } from '#ext-authz/policy/call-policy.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeOrigin } from '#ext-authz/request/origin.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import { judgeRevocation, judgeSession } from '#ext-authz/revocation/judge-revocation.ts';
import { sessionOwner } from '#ext-authz/session/open-call-session.ts';
import type { Sessions } from '#ext-authz/session/sessions.ts';
import { takeUp } from '#ext-authz/session/take-up.ts';
import { steer } from '#ext-authz/steering.ts';
import { hideSwitchedTools, judgeSwitches, type KnownOfCall } from '#ext-authz/switches.ts';
import type { TokenBroker } from '#ext-authz/token/broker.ts';
import type { ExchangeCause } from '#ext-authz/token/exchange-job.ts';
import type { Trail } from '#ext-authz/trail.ts';
import { judgeTransport } from '#ext-authz/transport.ts';
import { chooseVersion } from '#ext-authz/version/choose-version.ts';

export type PipelineParts = {
  readonly world: () => World;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Marks of callers whose tokens and sessions count no more. */
  readonly revocations: RevocationBook;
  readonly policy: CallPolicy;
  readonly broker: TokenBroker;
  readonly sessions: Sessions;
  readonly askApproval: AskApproval;
  /** Absolute URL of the gateway, from configuration. */
  readonly publicUrl: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number;
};

/** Longest body that is read of a caller nobody knows yet: a large one takes half a second no other call is judged in. */
const MAX_STRANGER_BYTES = 64 * 1024;

const secondsOf = (nowMs: number): number => Math.floor(nowMs / 1000);

/**
 * The place of a call in the world as it is now, unless a switch stops what is known of the call, or the caller was
 * revoked. Keys and tokens are waited for, for seconds: what came meanwhile counts.
 */
const standsOpen = (parts: PipelineParts, request: HttpRequest, known: KnownOfCall): Result<Place, Deny> => {
  const nowMs = parts.nowMs();
  const world = parts.world();
  const place = locate(request, world, nowMs);
  if (!place.ok) return place;
  const thrown = judgeSwitches(place.value, known, nowMs);
  if (thrown !== undefined) return err(thrown);
  const { identity } = known;
  if (identity === undefined) return place;
  const { freshAtMs } = world;
  const revoked = judgeRevocation(place.value.tenant, identity, {
    book: parts.revocations,
    freshAtMs,
    nowMs,
  });
  return revoked === undefined ? place : err(revoked);
};

/** Who calls what; nothing of it is judged by policy yet. */
type Recognised = {
  readonly place: Place;
  readonly call: McpCall;
  readonly identity: Identity;
  /** The caller's own token. */
  readonly assertion: Secret;
};

const openSession = (
  { sessions, revocations }: PipelineParts,
  { place, call, identity }: Recognised,
  nowMs: number,
): Result<CallSession | undefined, Deny> => {
  if (call.sessionId === undefined) return ok(undefined);
  const opened = sessions.open(call.sessionId, sessionOwner(place, identity), secondsOf(nowMs));
  if (!opened.ok) return opened;
  const over = judgeSession(place.tenant, { identity, session: opened.value }, revocations);
  return over === undefined ? opened : err(over);
};

/** The first half: where the call goes, what it is, who makes it. */
const recognise = async (
  parts: PipelineParts,
  request: HttpRequest,
  { trail, nowMs, signal }: { readonly trail: Trail; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<Result<Recognised, Deny>> => {
  const place = locate(request, parts.world(), nowMs);
  if (!place.ok) return place;
  const { tenant, server } = place.value;
  trail.step('locate', { place: place.value });

  const origin = judgeOrigin(request, tenant.allowedOrigins);
  if (!origin.ok) return origin;

  // Said to strangers too, and before anything is spent on them: nobody should sign in to a server that is off.
  const open = standsOpen(parts, request, {});
  const isLong = request.body.length > MAX_STRANGER_BYTES;
  if (isLong && !open.ok) return open;
  const authenticate = () => {
    const { headers, method, clientCertificate } = request;
    const url = endpointUrl(rootUrlOf(place.value, parts.publicUrl), place.value.path);
    const target = { method, url };
    const nowSeconds = secondsOf(nowMs);
    const connection = clientCertificate === undefined ? {} : { clientCertificate };
    const at = { tenant, server, target, nowSeconds, signal, ...connection };
    return parts.authenticator.authenticate({ headers, ...at });
  };
  const early = isLong ? await authenticate() : undefined;
  if (early?.ok === false) return early;

  const { id, result: call } = parseMcpCall(request, { maxBodyBytes: server.maxBodyBytes });
  trail.step('parse', call.ok ? { id, call: call.value } : { id });
  if (!open.ok) return open;
  if (!call.ok) return call;

  const caller = early ?? (await authenticate());
  trail.step('identity', caller.ok ? { identity: caller.value.identity } : {});
  if (!caller.ok) return caller;
  const { identity, token: assertion } = caller.value;
  return ok({ place: place.value, call: call.value, identity, assertion });
};

/** Where a recognised call goes: nothing of it is judged by policy yet. */
type Directed = Recognised & {
  readonly session: CallSession | undefined;
  readonly version: ServerVersion;
};

/** The second step: which session it goes on in, and which version of the server it is for. */
const direct = (
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

/** What an exchange is made for, in the audit and in traces. */
const causeOf = ({ requestId, headers }: HttpRequest): ExchangeCause => {
  const [traceparent, ...others] = headers.get('traceparent') ?? [];
  return traceparent === undefined || others.length > 0 ? { requestId } : { requestId, traceparent };
};

/** Waits for the registry, and so comes after everything that could refuse the call sooner. */
const holdForApproval = async (
  { askApproval }: PipelineParts,
  { place, call, identity, version }: Directed,
  { rules = [], trail }: { readonly rules: readonly string[] | undefined; readonly trail: Trail },
): Promise<Deny | undefined> => {
  if (rules.length === 0) return undefined;
  const where = { tenantId: place.tenant.id, serverId: place.server.id, version: version.version };
  const settled = await settleApproval(askApproval, { ...where, identity, call, rules });
  trail.step('approval', settled.ok ? { approval: settled.value } : {});
  return settled.ok ? undefined : settled.error;
};

/** The place of a granted call as it is now, unless a switch or what a server has made of the tool stops the call. */
const standsGranted = (
  parts: PipelineParts,
  request: HttpRequest,
  { identity, call, version }: Directed,
): Result<Place, Deny> => {
  const open = standsOpen(parts, request, { identity, call });
  if (!open.ok) return open;
  const drifted = judgeDrift(parts.world().drift ?? NO_DRIFT, { place: open.value, version, call });
  return drifted === undefined ? open : err(drifted);
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
  trail.step('policy', { policyRevision: parts.policy.revision(tenant) });
  if (!judgement.ok) return judgement.error;
  const { obligations } = judgement.value;
  if (obligations.logLevel !== undefined) trail.findings.logLevel = obligations.logLevel;

  // After the policy: to a caller without the tool, one that is switched off must read like one that is not there.
  const permitted = permit(parts, request, { directed: directed.value, trail });
  if (!permitted.ok) return permitted.error;
  const { lists: asked } = judgement.value;
  const taken = takeUp(parts.sessions, directed.value, { lists: asked, nowSeconds: secondsOf(nowMs) });
  if (!taken.ok) return taken.error;
  const { resumption, ...thread } = taken.value;

  // A token is judged by the time it goes out at, not by that at which the call came in.
  const nowSeconds = parts.nowMs() / 1000;
  const cause = causeOf(request);
  const wanted = { tenant, server, identity, assertion, cause, nowSeconds, signal };
  const upstream = await parts.broker.acquire(wanted);
  trail.step('exchange', upstream.ok ? { tokenSource: upstream.value.source } : {});
  if (!upstream.ok) return upstream.error;

  const held = await holdForApproval(parts, directed.value, { rules: obligations.approval, trail });
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
