// The token broker with everything it stands on, as a running service has it. Wiring, no logic.

import { setTimeout as sleep } from 'node:timers/promises';
import { createTokenBroker } from '#ext-authz/token/broker.ts';
import { createClientCredentials } from '#ext-authz/token/client-credentials.ts';
import { createEntraObo } from '#ext-authz/token/entra-obo.ts';
import { createExchangeWitness } from '#ext-authz/token/exchange-witness.ts';
import { createExchangeGate } from '#ext-authz/token/gate/exchange-gate.ts';
import { createRefusalMemory } from '#ext-authz/token/refusal-memory.ts';
import { createTokenExchange } from '#ext-authz/token/token-exchange.ts';
import { createTokenMetrics } from '#ext-authz/token/token-metrics.ts';
import { openTokenState } from '#ext-authz/token/token-state.ts';
import type { AuditChain } from '#runtime/audit/chain-writer.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import type { OpenedState } from '#runtime/shared-state/open.ts';
import type { Tracing } from '#runtime/tracing/tracing.ts';

/** @throws GatewayError `config_invalid`, as `openTokenState` does. */
export const startTokenBroker = (parts: {
  readonly shared: OpenedState;
  readonly secretsDirectory: string;
  readonly egress: EgressGuard;
  readonly chain: AuditChain;
  readonly tracing: Tracing;
  readonly logger: Logger;
  readonly metrics: Metrics;
}) => {
  const { shared, secretsDirectory, egress, chain, tracing, logger } = parts;
  const metrics = createTokenMetrics(parts.metrics);
  const monotonicMs = () => performance.now();
  const gate = createExchangeGate({ logger, metrics, nowMs: monotonicMs, random: Math.random });
  const { facts, ...kept } = openTokenState(shared, { logger, metrics: parts.metrics, nowMs: Date.now });
  const broker = createTokenBroker({
    exchangers: {
      obo: createEntraObo({ fetch: egress.fetch }),
      'token-exchange': createTokenExchange({ fetch: egress.fetch }),
      'client-credentials': createClientCredentials({ fetch: egress.fetch }),
    },
    ...kept,
    refusals: createRefusalMemory(),
    secrets: createSecretStore(secretsDirectory),
    gate,
    witness: createExchangeWitness({ chain, tracing, nowMs: Date.now }),
    logger,
    metrics,
    monotonicMs,
    sleep: (ms) => sleep(ms),
    random: Math.random,
  });
  return { broker, facts: () => ({ ...gate.facts(), ...facts() }) };
};
