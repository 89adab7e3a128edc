// The token broker over the real exchangers and the real egress guard, for the tests of ext-authz/token against identity
// providers that run.

import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt, type JWTPayload } from 'jose';
import type { AuditEvent } from '#core/audit/subject.ts';
import type { Identity } from '#core/identity.ts';
import type { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { createTokenBroker, type RunningBroker } from '#ext-authz/token/broker.ts';
import { createClientCredentials } from '#ext-authz/token/client-credentials.ts';
import { createEntraObo } from '#ext-authz/token/entra-obo.ts';
import { createExchangeWitness } from '#ext-authz/token/exchange-witness.ts';
import { createExchangeGate } from '#ext-authz/token/gate/exchange-gate.ts';
import { createMemoryCache } from '#ext-authz/token/memory-cache.ts';
import { createRefusalMemory } from '#ext-authz/token/refusal-memory.ts';
import { NO_SHARED_REFUSALS } from '#ext-authz/token/shared-refusals.ts';
import { createTokenExchange } from '#ext-authz/token/token-exchange.ts';
import { createTokenMetrics } from '#ext-authz/token/token-metrics.ts';
import type { TokenState } from '#ext-authz/token/token-state.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import { NO_TRACING, type Tracing } from '#runtime/tracing/tracing.ts';

export type Caller = { readonly identity: Identity; readonly assertion: Secret };

/** How a call came out: where its token is from and what it says, or why it was refused. */
export type Outcome =
  | { readonly source: string; readonly claims: JWTPayload | null; readonly text: string }
  | { readonly reason: string; readonly publicFacts: object; readonly logFacts: object };

/** Claims of a token that can be read. */
const claimsOf = (text: string): JWTPayload | null => (text.split('.').length === 3 ? decodeJwt(text) : null);

export type BrokerOptions = {
  readonly timeoutMs?: number;
  readonly allowPrivate?: boolean;
  readonly tracing?: Tracing;
  /** From 0 to 1, for jitter. */
  readonly random?: () => number;
  /** What the clock of the gate is ahead. */
  readonly laterMs?: () => number;
  /** What it shares with others; absent: memory of its own. */
  readonly state?: Omit<TokenState, 'facts'>;
};

export type TestBroker = {
  readonly broker: RunningBroker;
  /** Everything it logged. */
  readonly log: string[];
  /** Everything it put on record. */
  readonly records: AuditEvent[];
  acquire(caller: Caller, server?: McpServer, signal?: AbortSignal): Promise<Outcome>;
  metricsText(): Promise<string>;
};

/** A fresh broker that remembers nothing, for callers of `tenant`. */
export const startTestBroker = (
  tenant: Tenant,
  secretsDirectory: string,
  options: BrokerOptions & { readonly server: McpServer },
): TestBroker => {
  const { timeoutMs, allowPrivate = true, tracing = NO_TRACING, server: usual } = options;
  const { random = Math.random, laterMs, state } = options;
  const log: string[] = [];
  const records: AuditEvent[] = [];
  const chain = { append: async (event: AuditEvent) => void records.push(event) };
  const metrics = createMetrics('test');
  const { fetch } = createEgressGuard({ allowPrivate, allowedHosts: [] });
  const network = { fetch, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const tools = {
    logger: createLogger('test', 'trace', { write: (line) => void log.push(line) }),
    metrics: createTokenMetrics(metrics),
    random,
  };
  const nowMs = () => performance.now();
  const broker = createTokenBroker({
    exchangers: {
      obo: createEntraObo(network),
      'token-exchange': createTokenExchange(network),
      'client-credentials': createClientCredentials(network),
    },
    ...(state ?? {
      cache: createMemoryCache(),
      shared: createMemoryState(nowMs),
      sharedRefusals: NO_SHARED_REFUSALS,
    }),
    refusals: createRefusalMemory(),
    secrets: createSecretStore(secretsDirectory),
    witness: createExchangeWitness({ chain, tracing, nowMs: Date.now }),
    gate: createExchangeGate({ ...tools, nowMs: () => nowMs() + (laterMs?.() ?? 0) }),
    ...tools,
    monotonicMs: nowMs,
    sleep: (ms) => sleep(ms),
  });
  return {
    broker,
    log,
    records,
    metricsText: async () => (await metrics.render()).body,
    acquire: async (caller, server = usual, signal = AbortSignal.timeout(20_000)) => {
      const nowSeconds = Date.now() / 1000;
      const result = await broker.acquire({ tenant, server, ...caller, nowSeconds, signal });
      if (!result.ok) return result.error;
      const text = result.value.token?.reveal() ?? '';
      return { source: result.value.source, claims: claimsOf(text), text };
    },
  };
};
