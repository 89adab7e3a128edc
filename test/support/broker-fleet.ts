// Brokers as several processes of a deployment have them, over one shared state, one provider that says what a script
// says, and a clock that stands until a test moves it. Only our own ports are doubled. For the unit tests of the broker.

import type { Deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { createTokenBroker, type RunningBroker } from '#ext-authz/token/broker.ts';
import type { CachedToken, FoundToken, TokenCache } from '#ext-authz/token/cache.ts';
import type { ExchangeWitness } from '#ext-authz/token/exchange-witness.ts';
import type { ExchangedToken, ExchangeFailure, ProviderRefusal } from '#ext-authz/token/exchanger.ts';
import { createExchangeGate } from '#ext-authz/token/gate/exchange-gate.ts';
import { createRefusalMemory } from '#ext-authz/token/refusal-memory.ts';
import { createSharedRefusals } from '#ext-authz/token/shared-refusals.ts';
import { createTokenMetrics } from '#ext-authz/token/token-metrics.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

const TID = '3f1c7a52-6d0e-4b8a-9c41-0a5e6b7d8c10';
/** Nobody looks. */
export const NO_WITNESS: ExchangeWitness = { record: async () => true, watch: () => () => undefined };

export const START = 1_800_000_000;

export const SERVER = {
  id: 'tracker',
  upstreamAuth: { mode: 'obo', scopes: ['api://x/.default'], appOnly: 'client-credentials' },
  bindings: [
    {
      issuerId: 'contoso',
      audiences: ['aud'],
      requiredScopes: [],
      oboApplication: { clientId: 'app', secretName: 'app' },
    },
  ],
} as unknown as McpServer;

export const TENANT = {
  id: 'default',
  issuers: [{ id: 'contoso', kind: 'entra', tokenEndpoint: 'https://login.example/{tenantid}/token' }],
} as unknown as Tenant;

export const user = (name: string, parts: Partial<Identity> = {}): Identity => ({
  principal: name,
  kind: 'user',
  issuerId: 'contoso',
  issuer: 'https://login.example',
  audience: 'aud',
  relation: 'home',
  subject: name,
  tid: TID,
  oid: name,
  groups: [],
  roles: [],
  scopes: [],
  guest: false,
  assurance: [],
  claimsChallenges: false,
  issuedAt: START,
  expiresAt: START + 4_000,
  ...parts,
});

export type Scripted = Result<ExchangedToken, ExchangeFailure>;

export const refused = (parts: Partial<ProviderRefusal>): Scripted =>
  err({ kind: 'refused', status: 400, error: 'invalid_grant', codes: [], ...parts });

export const issued = (text: string, expiresInSeconds = 3_600): Scripted =>
  ok({ token: new Secret(text), expiresInSeconds });

export const UNREACHABLE: Scripted = err({ kind: 'unreachable', detail: 'refused' });

/** Two tiers as the real one has them: what a process holds, and what all share. */
const tieredDouble = (shared: Map<string, CachedToken & { owner: string }>): TokenCache => {
  const local = new Map<string, CachedToken & { owner: string }>();
  const findNewest = async (key: string): Promise<FoundToken | undefined> => {
    const newest = shared.get(key);
    local.delete(key);
    if (newest === undefined) return undefined;
    local.set(key, newest);
    return { ...newest, tier: 'shared' };
  };
  const findHeld = (key: string): FoundToken | undefined => {
    const held = local.get(key);
    return held === undefined ? undefined : { ...held, tier: 'memory' };
  };
  return {
    find: async (key) => findHeld(key) ?? findNewest(key),
    findNewest,
    store: async (key, entry) => {
      shared.set(key, entry);
      local.set(key, entry);
    },
    remove: async (key) => {
      shared.delete(key);
      local.delete(key);
    },
    purge: async (owner) => {
      for (const tier of [shared, local]) {
        for (const [key, entry] of tier) if (entry.owner === owner) tier.delete(key);
      }
    },
  };
};

export type FleetOptions = {
  readonly processes?: number;
  /** What the provider says to its n-th question, from 1. */
  readonly script: (attempt: number) => Scripted | Promise<Scripted>;
  /** Stands in for the shared state. */
  readonly shared?: (real: SharedState) => SharedState;
};

export type Fleet = {
  /** Time that has gone by, seconds; it stands still by itself. */
  readonly clock: { seconds: number };
  readonly brokers: readonly RunningBroker[];
  /** How often the provider was asked. */
  exchanges(): number;
  /** What a call at a process gets: `source token`, or the refusal. */
  ask(identity: Identity, process?: number): Promise<string | Deny>;
  /** Lets everything that does not wait for the provider come to its end. */
  settle(): Promise<void>;
  metrics(process?: number): Promise<string>;
};

export const startFleet = ({ processes = 1, script, shared = (real) => real }: FleetOptions): Fleet => {
  const clock = { seconds: 0 };
  const state = shared(createMemoryState(() => clock.seconds * 1000));
  const tokens = new Map<string, CachedToken & { owner: string }>();
  let exchanges = 0;
  const exchanger = async (): Promise<Scripted> => {
    exchanges += 1;
    return script(exchanges);
  };
  const members = Array.from({ length: processes }, (_, index) => {
    const metrics = createMetrics('test');
    const tools = {
      logger: createLogger('test', 'silent'),
      metrics: createTokenMetrics(metrics),
      random: () => index / processes,
    };
    const nowMs = () => clock.seconds * 1000;
    const broker = createTokenBroker({
      exchangers: { obo: exchanger, 'token-exchange': exchanger, 'client-credentials': exchanger },
      cache: tieredDouble(tokens),
      refusals: createRefusalMemory(),
      secrets: { read: async () => ok(new Secret('app-secret')) },
      gate: createExchangeGate({ ...tools, nowMs }),
      witness: NO_WITNESS,
      ...tools,
      shared: state,
      sharedRefusals: createSharedRefusals(state, {
        seal: (key, entry) => JSON.stringify([key, entry]),
        open: (key, text) => {
          const [sealedFor, entry] = JSON.parse(text);
          return sealedFor === key ? entry : undefined;
        },
      }),
      monotonicMs: nowMs,
      sleep: () => new Promise((resolve) => setImmediate(resolve)),
    });
    return { broker, metrics };
  });
  const member = (process: number) => {
    const found = members[process];
    if (found === undefined) throw new Error(`there is no process ${process}`);
    return found;
  };
  return {
    clock,
    brokers: members.map(({ broker }) => broker),
    exchanges: () => exchanges,
    ask: async (identity, process = 0) => {
      const result = await member(process).broker.acquire({
        tenant: TENANT,
        server: SERVER,
        identity,
        assertion: new Secret(`assertion of ${identity.principal}`),
        nowSeconds: START + clock.seconds,
        signal: new AbortController().signal,
      });
      return result.ok ? `${result.value.source} ${result.value.token?.reveal()}` : result.error;
    },
    settle: async () => {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    },
    metrics: async (process = 0) => (await member(process).metrics.render()).body,
  };
};
