// One exchange from secret to cache entry, or to a remembered refusal. Runs at most once a key at a time; whoever
// waits for it gets the same outcome.

import type { JsonObject } from '#core/json.ts';
import type { Reason } from '#core/reason.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { CachedToken, TokenCache } from '#ext-authz/token/cache.ts';
import { loadCredential } from '#ext-authz/token/credential.ts';
import { judgeFailure, type Refusal } from '#ext-authz/token/errors.ts';
import type { ExchangeJob } from '#ext-authz/token/exchange-job.ts';
import { type ExchangeKind, isDelegated } from '#ext-authz/token/exchange-plan.ts';
import type { ExchangeWitness } from '#ext-authz/token/exchange-witness.ts';
import type { ExchangedToken, ExchangeFailure, Exchanger } from '#ext-authz/token/exchanger.ts';
import type { ExchangeGate, GateRefusal, GateVisit } from '#ext-authz/token/gate/exchange-gate.ts';
import type { RefusalMemory, RememberedRefusal } from '#ext-authz/token/refusal-memory.ts';
import type { TokenMetrics } from '#ext-authz/token/token-metrics.ts';
import { findUnfit } from '#ext-authz/token/unfit.ts';
import type { Logger } from '#runtime/logger.ts';
import type { SecretStore } from '#runtime/secret-files.ts';

export type ExchangeParts = {
  readonly exchangers: Readonly<Record<ExchangeKind, Exchanger>>;
  readonly cache: TokenCache;
  readonly refusals: RefusalMemory;
  readonly secrets: SecretStore;
  readonly gate: ExchangeGate;
  readonly witness: ExchangeWitness;
  readonly logger: Logger;
  readonly metrics: TokenMetrics;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
};

export type ExchangeOutcome = Result<CachedToken, RememberedRefusal>;

/** Part of a remembered time that chance may take away, so that callers do not come back all at once. */
const JITTER = 0.2;

const SHARED_REFUSAL_SECONDS = 30;

/** A failure for the log. Everything in it was vetted where it was read; a claims challenge is left out. */
const describeFailure = (failure: ExchangeFailure): JsonObject => {
  const { kind, ...facts } = failure;
  const { claims, ...rest } = { claims: undefined, ...facts };
  return { provider: kind, ...(claims === undefined ? {} : { hasClaims: true }), ...rest };
};

/** How long a refusal holds. Jitter shortens our own times and lengthens the provider's, which is not undercut. */
const rememberUntil = (
  refusal: Refusal,
  job: ExchangeJob,
  { heardAt, random }: { readonly heardAt: number; readonly random: number },
): number => {
  const { rememberSeconds, retryAfterSeconds } = refusal;
  if (rememberSeconds === 'assertion') {
    // Application tokens are shared by callers: one caller's lifetime is no measure for the others.
    return isDelegated(job.plan) ? job.assertionExpiresAt : job.nowSeconds + SHARED_REFUSAL_SECONDS;
  }
  const wait =
    retryAfterSeconds === undefined
      ? rememberSeconds * (1 - JITTER * random)
      : retryAfterSeconds * (1 + JITTER * random);
  return heardAt + wait;
};

/** Somebody has to mend these. */
const FAULTS_OF_SETUP: ReadonlySet<Reason> = new Set(['exchange_misconfigured', 'upstream_token_unfit']);

const refuse = async (
  parts: ExchangeParts,
  job: ExchangeJob,
  { failure, heardAt }: { readonly failure: ExchangeFailure; readonly heardAt: number },
): Promise<ExchangeOutcome> => {
  const refusal = judgeFailure(failure);
  const logFacts = { ...describeFailure(failure), application: job.plan.application.clientId };
  const until = rememberUntil(refusal, job, { heardAt, random: parts.random() });
  const entry = { refusal, logFacts, until, notedAt: job.nowSeconds };
  parts.refusals.remember(job.keys[refusal.scope], entry);
  if (refusal.reason === 'session_revoked') await parts.cache.purge(job.keys.owner);
  const level = refusal.scope === 'application' || FAULTS_OF_SETUP.has(refusal.reason) ? 'error' : 'warn';
  parts.logger[level]({ ...job.place, ...logFacts, reason: refusal.reason }, 'token exchange refused');
  // The refusal stands, on record or not: the decision that tells it has a record of its own to wait for.
  await parts.witness.record(job, { outcome: refusal.reason, failure });
  return err(entry);
};

/** A refusal that is not remembered: the next call tries again. */
const passing = (
  job: ExchangeJob,
  refusal: Omit<Refusal, 'scope' | 'rememberSeconds'>,
  facts: JsonObject,
): ExchangeOutcome => {
  const { nowSeconds, plan } = job;
  return err({
    refusal: { ...refusal, scope: 'caller', rememberSeconds: 0 },
    until: nowSeconds + (refusal.retryAfterSeconds ?? 0),
    notedAt: nowSeconds,
    logFacts: { ...facts, application: plan.application.clientId },
  });
};

/** The operator who mends it should see it work at once. */
const refuseWithoutCredential = (parts: ExchangeParts, job: ExchangeJob, fault: string): ExchangeOutcome => {
  const { clientId, credential } = job.plan.application;
  const facts = { secret: credential.name, fault };
  parts.logger.error(
    { ...job.place, ...facts, application: clientId },
    'credential of the exchanging application cannot be read',
  );
  return passing(job, { reason: 'exchange_misconfigured', isTransient: false }, facts);
};

const keep = async (
  parts: ExchangeParts,
  job: ExchangeJob,
  exchanged: ExchangedToken,
): Promise<ExchangeOutcome> => {
  // A provider that hands the caller's token back would make us a passthrough, the one thing MCP forbids outright.
  const isEcho = exchanged.token.reveal() === job.assertion.reveal();
  const failure = isEcho ? ({ kind: 'echoed' } as const) : findUnfit(job.plan, exchanged);
  if (failure !== undefined) return refuse(parts, job, { failure, heardAt: job.nowSeconds });
  // Counted from before the request: the token lives a little longer than we say, never shorter.
  const notedAt = job.nowSeconds;
  const { expiresInSeconds: lifetimeSeconds } = exchanged;
  const token = { token: exchanged.token, expiresAt: notedAt + lifetimeSeconds, notedAt };
  // Before anybody can use it: no token goes upstream that the audit knows nothing of.
  if (!(await parts.witness.record(job, { outcome: 'ok', lifetimeSeconds }))) {
    return passing(job, { reason: 'audit_unavailable', isTransient: true }, { record: 'TokenExchanged' });
  }
  await parts.cache.store(job.keys.caller, { ...token, owner: job.keys.owner });
  return ok(token);
};

/** The provider was not asked. */
const turnedAway = (job: ExchangeJob, { logFacts, ...refusal }: GateRefusal): ExchangeOutcome =>
  passing(job, { ...refusal, isTransient: true }, logFacts);

const visitOf = ({ tenantId, plan, keys, abandoned }: ExchangeJob): GateVisit => ({
  tenantId,
  tokenEndpoint: plan.tokenEndpoint,
  applicationKey: keys.application,
  callerKey: keys.owner,
  clientId: plan.application.clientId,
  ...(abandoned === undefined ? {} : { abandoned }),
});

const attempt = async (parts: ExchangeParts, job: ExchangeJob): Promise<ExchangeOutcome> => {
  const { tenantId, plan, assertion, nowSeconds } = job;
  const { kind, application } = plan;
  const credential = await loadCredential(parts.secrets, tenantId, application.credential);
  if (!credential.ok) return refuseWithoutCredential(parts, job, credential.error);
  const request = { tenantId, plan, credential: credential.value, assertion, nowSeconds };
  const asked = await parts.gate.run(visitOf(job), async () => {
    const end = parts.metrics.duration.startTimer({ mode: kind });
    const exchanged = await parts.exchangers[kind](request);
    end();
    return exchanged;
  });
  if (!asked.ok) return turnedAway(job, asked.error);
  const { answer, tookSeconds } = asked.value;
  const outcome = answer.ok
    ? await keep(parts, job, answer.value)
    : await refuse(parts, job, { failure: answer.error, heardAt: nowSeconds + tookSeconds });
  parts.metrics.exchanges.inc({ mode: kind, outcome: outcome.ok ? 'ok' : outcome.error.refusal.reason });
  return outcome;
};

/** Performs the exchange of `job`. @throws only if an adapter is broken; then every waiter denies. */
export const runExchange = async (parts: ExchangeParts, job: ExchangeJob): Promise<ExchangeOutcome> => {
  const end = parts.witness.watch(job);
  let outcome: ExchangeOutcome | undefined;
  try {
    outcome = await attempt(parts, job);
    return outcome;
  } finally {
    end(outcome);
  }
};
