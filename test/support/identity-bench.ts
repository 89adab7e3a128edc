// The identity part of ext-authz as it runs, on real keys, a real key server, the real egress guard and real files;
// only the clock is ours.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deny } from '#core/decision.ts';
import { err, ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { Tenant } from '#core/tenant.ts';
import { type Authenticator, createAuthenticator } from '#ext-authz/identity/authenticate.ts';
import { createReplayMemory, type ReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import type { GroupLookups } from '#ext-authz/identity/group-lookup.ts';
import { createIntrospector, type Introspector } from '#ext-authz/identity/introspection.ts';
import { createKeySetStore } from '#ext-authz/identity/key-set-store.ts';
import { createKeySets, type KeySets } from '#ext-authz/identity/key-sets.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { type HostLookup, systemLookup } from '#runtime/egress-resolve.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { type KeyServer, NOW, startKeyServer, testServer } from '#test/support/token-issuer.ts';

/** No issuer of these tests has a lookup; one that is asked all the same refuses. */
export const NO_LOOKUPS: Pick<GroupLookups, 'find'> = {
  find: async () => err(deny('groups_lookup_refused')),
};

export type IdentityBench = {
  readonly keyServer: KeyServer;
  readonly keySets: KeySets;
  readonly metrics: Metrics;
  /** As it is; its callers say where they are and when. */
  readonly authenticator: Authenticator;
  /** Moves the clock of the key sets, not the one tokens are judged by. */
  advance(durationMs: number): void;
  /** One request to the tenant's first server, at `ENDPOINT_URL`. */
  present(call: Presented): ReturnType<ReturnType<typeof createAuthenticator>['authenticate']>;
  authenticate(
    authorization: readonly string[],
    tenant: Tenant,
    nowSeconds?: number,
  ): ReturnType<ReturnType<typeof createAuthenticator>['authenticate']>;
  /** Kind of the caller, or the reason of the refusal. */
  outcomeOf(token: string, tenant: Tenant, nowSeconds?: number): Promise<string>;
  stop(): Promise<void>;
};

export type Presented = {
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly tenant: Tenant;
  readonly method?: string;
  readonly nowSeconds?: number;
  /** PEM. */
  readonly clientCertificate?: string;
};

/** For tests in which nobody may be asked about a token. */
export const ASKS_NOBODY: Introspector = {
  ask: () => Promise.reject(new Error('an issuer is asked about a token')),
};

/** Where the bench's server is said to be. */
export const ENDPOINT_URL = 'https://gw.example/mcp/tracker';

export type BenchOptions = {
  /** The name service; the system's otherwise. */
  readonly lookup?: HostLookup;
  /** Which proofs were used; what a process remembers otherwise. */
  readonly replays?: ReplayMemory;
  /** Secrets of the gateway at issuers: by tenant and name. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly maxOpenQuestions?: number;
};

export const startIdentityBench = async (
  keys: readonly object[],
  options: BenchOptions = {},
): Promise<IdentityBench> => {
  const { lookup = systemLookup, replays = createReplayMemory(), secrets = {}, maxOpenQuestions } = options;
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-'));
  const keyServer = await startKeyServer(keys);
  const metrics = createMetrics('test');
  let nowMs = NOW * 1000;
  const { fetch } = createEgressGuard({ allowPrivate: true, allowedHosts: [], lookup });
  const keySets = createKeySets({
    fetch,
    store: createKeySetStore(directory),
    logger: createLogger('test', 'silent'),
    metrics,
    nowMs: () => nowMs,
    random: () => 0.5,
  });
  const introspector = createIntrospector({
    fetch,
    readSecret: async (tenantId, name) => {
      const text = secrets[`${tenantId}/${name}`];
      return text === undefined ? err('missing') : ok(new Secret(text));
    },
    metrics,
    ...(maxOpenQuestions === undefined ? {} : { maxOpenQuestions }),
  });
  const authenticator = createAuthenticator({ keySets, introspector, replays, groups: NO_LOOKUPS, metrics });
  const present: IdentityBench['present'] = ({
    headers,
    tenant,
    method = 'POST',
    nowSeconds = NOW,
    ...connection
  }) =>
    authenticator.authenticate({
      headers: new Map(Object.entries(headers)),
      tenant,
      server: tenant.servers[0] ?? testServer([]),
      target: { method, url: ENDPOINT_URL },
      ...connection,
      nowSeconds,
      signal: AbortSignal.timeout(30_000),
    });
  const authenticate: IdentityBench['authenticate'] = (authorization, tenant, nowSeconds) =>
    present({ headers: { authorization }, tenant, ...(nowSeconds === undefined ? {} : { nowSeconds }) });
  return {
    keyServer,
    keySets,
    metrics,
    advance: (durationMs) => {
      nowMs += durationMs;
    },
    authenticator,
    present,
    authenticate,
    outcomeOf: async (token, tenant, nowSeconds) => {
      const result = await authenticate([`Bearer ${token}`], tenant, nowSeconds);
      return result.ok ? result.value.identity.kind : result.error.reason;
    },
    stop: async () => {
      keySets.stop();
      await keyServer.stop();
      await rm(directory, { recursive: true });
    },
  };
};
