// The decision, step by step, on one screen. Each step yields what the next one needs or the refusal that ends it.
// Knows no gRPC and no protobuf: those are in check.ts and response/.

import { allow, type Decision, type Deny, deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findVersion, type McpServer, type ServerVersion } from '#core/server.ts';
import type { Authenticator } from '#ext-authz/identity/authenticate.ts';
import { locate, type World } from '#ext-authz/locate.ts';
import { guardOrders } from '#ext-authz/orders.ts';
import type { Policy } from '#ext-authz/policy/judge.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeOrigin } from '#ext-authz/request/origin.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import type { TokenBroker } from '#ext-authz/token/broker.ts';
import type { Trail } from '#ext-authz/trail.ts';

export type PipelineParts = {
  readonly world: () => World;
  readonly authenticator: Authenticator;
  readonly policy: Policy;
  readonly broker: TokenBroker;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number;
};

/** Longest body that is read of a caller nobody knows yet: a large one takes half a second no other call is judged in. */
const MAX_STRANGER_BYTES = 64 * 1024;

const chooseVersion = (server: McpServer): Result<ServerVersion, Deny> => {
  if (!server.enabled) return err(deny('server_disabled'));
  const version = findVersion(server, server.activeVersion);
  return version === undefined ? err(deny('version_unavailable')) : ok(version);
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
  const nowSeconds = Math.floor(nowMs / 1000);

  const place = locate(request, parts.world(), nowMs);
  if (!place.ok) return place.error;
  const { tenant, server } = place.value;
  trail.step('locate', { place: place.value });

  const origin = judgeOrigin(request, tenant.allowedOrigins);
  if (!origin.ok) return origin.error;

  const authenticate = () =>
    parts.authenticator.authenticate({ headers: request.headers, tenant, server, nowSeconds });
  const early = request.body.length > MAX_STRANGER_BYTES ? await authenticate() : undefined;
  if (early?.ok === false) return early.error;

  const parsed = parseMcpCall(request, { maxBodyBytes: server.maxBodyBytes });
  trail.step('parse', { id: parsed.id });
  if (!parsed.result.ok) return parsed.result.error;
  const call = parsed.result.value;
  trail.findings.call = call;

  const caller = early ?? (await authenticate());
  trail.step('identity', caller.ok ? { identity: caller.value.identity } : {});
  if (!caller.ok) return caller.error;
  const { identity, token: assertion } = caller.value;

  const version = chooseVersion(server);
  if (!version.ok) return version.error;
  trail.findings.version = version.value.version;

  const facts = { nowMs, ip: request.clientAddress, session: call.sessionId };
  const judgement = parts.policy.judge({
    tenant,
    server,
    version: version.value,
    identity,
    call,
    request: facts,
  });
  trail.step('policy', { policyRevision: parts.policy.revision() });
  if (!judgement.ok) return judgement.error;

  const upstream = await parts.broker.acquire({ tenant, server, identity, assertion, nowSeconds, signal });
  trail.step('exchange', upstream.ok ? { tokenSource: upstream.value.source } : {});
  if (!upstream.ok) return upstream.error;

  const { requestId } = request;
  const judged = { place: place.value, call, identity, version: version.value.version, requestId };
  const orders = guardOrders({ ...judged, lists: judgement.value.lists });
  return allow({ identity, version: orders.version, upstreamToken: upstream.value.token, orders });
};
