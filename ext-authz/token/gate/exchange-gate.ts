// What every exchange of a process passes before the provider is asked: the breakers of its provider and its own
// application, and its turn. It never hangs: whoever cannot go is told why and when to come back.

import type { JsonObject } from '#core/json.ts';
import type { Reason } from '#core/reason.ts';
import { err, ok, type Result } from '#core/result.ts';
import { judgeFailure } from '#ext-authz/token/errors.ts';
import type { ExchangedToken, ExchangeFailure } from '#ext-authz/token/exchanger.ts';
import type { Breaker, BreakerRules, Experience } from '#ext-authz/token/gate/breaker.ts';
import {
  createBreakers,
  type NamedBreaker,
  type NotAdmitted,
  type Report,
} from '#ext-authz/token/gate/breakers.ts';
import { createTurns, type NoTurn } from '#ext-authz/token/gate/turns.ts';
import type { TokenMetrics } from '#ext-authz/token/token-metrics.ts';
import type { Logger } from '#runtime/logger.ts';

export type GateVisit = {
  readonly tenantId: string;
  /** Concrete URL. */
  readonly tokenEndpoint: string;
  /** Names the credential we come with: `CacheKeys.application`. */
  readonly applicationKey: string;
  /** Names the caller, whatever the token: `CacheKeys.owner`. */
  readonly callerKey: string;
  readonly clientId: string;
  /** Aborted when nobody waits for the outcome any more; absent: somebody always does. */
  readonly abandoned?: AbortSignal;
};

type Exchanged = Result<ExchangedToken, ExchangeFailure>;

/** The provider was not asked. */
export type GateRefusal = {
  readonly reason: Reason;
  readonly retryAfterSeconds: number;
  readonly logFacts: JsonObject;
};

export type ExchangeGate = {
  /** Runs `exchange` when it may. @returns what it said and when it ended, seconds after the call; or why it never ran */
  run(
    visit: GateVisit,
    exchange: () => Promise<Exchanged>,
  ): Promise<Result<{ readonly answer: Exchanged; readonly tookSeconds: number }, GateRefusal>>;
  /** For `/readyz`: an open breaker is the provider's bad day and not ours. */
  facts(): JsonObject;
};

export type GateParts = {
  readonly logger: Logger;
  readonly metrics: TokenMetrics;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  readonly random: () => number;
};

/**
 * The egress guard opens 32 connections to an origin, and behind them a queue without turns would form; the rest are for
 * keys and lists. Three quarters of ours for one tenant.
 */
const AT_ONCE = 24;
const AT_ONCE_OF_TENANT = 18;

/** More than can be served before the callers give up (CHECK_DEADLINE_MS in main.ts) at a provider of ordinary speed. */
const MAX_WAITING = 2_000;

/** When somebody who found the queue full comes back, most who waited in it have been served or have given up. */
const BUSY_SECONDS = 3;

const OUTAGE: BreakerRules = { callers: 3, pauseMs: 2_000, maxPauseMs: 60_000 };

/** One refusal of our own credential is one of all: it opens at once. A minute at most, for whoever mends it waits. */
const CREDENTIAL: BreakerRules = { callers: 1, pauseMs: 30_000, maxPauseMs: 60_000 };

/** Breakers named in `/readyz`. */
const MAX_NAMED = 10;

type Place = { readonly tenant: string; readonly host: string; readonly application?: string };

const nameOf = (place: Place, key: string): string => JSON.stringify([place, key]);
const placeOf = (name: string): Place => (JSON.parse(name) as [Place])[0];

const breakersOf = ({ tenantId, tokenEndpoint, applicationKey, clientId }: GateVisit): NamedBreaker[] => {
  const place = { tenant: tenantId, host: new URL(tokenEndpoint).host };
  return [
    { name: nameOf(place, tokenEndpoint), rules: OUTAGE },
    { name: nameOf({ ...place, application: clientId }, applicationKey), rules: CREDENTIAL },
  ];
};

/** What an answer says of the provider and of our credential. Throttling is the caller's own: the provider is well. */
const experiencesOf = (answer: Exchanged): readonly [Experience, Experience] => {
  const answered = { kind: 'answered' } as const;
  const unknown = { kind: 'unknown' } as const;
  if (answer.ok) return [answered, answered];
  if (answer.error.kind === 'unsent' || answer.error.kind === 'egress-refused') return [unknown, unknown];
  const { reason: because, scope, retryAfterSeconds } = judgeFailure(answer.error);
  const failed = {
    kind: 'failed',
    because,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
  } as const;
  if (scope === 'application') return [answered, failed];
  return because === 'provider_unavailable' ? [failed, unknown] : [answered, answered];
};

const pausedRefusal = ({ because, retryAfterMs }: NotAdmitted): GateRefusal => ({
  reason: because,
  retryAfterSeconds: Math.ceil(retryAfterMs / 1000),
  logFacts: { provider: 'paused' },
});

const noTurnRefusal = (turn: NoTurn): GateRefusal => ({
  reason: 'provider_busy',
  retryAfterSeconds: BUSY_SECONDS,
  logFacts: { provider: turn === 'full' ? 'queue full' : 'given up' },
});

const tellChange =
  (logger: Logger) =>
  (name: string, after: Breaker): void => {
    const place = placeOf(name);
    if (after.kind === 'open') {
      const { because, pauseMs } = after;
      logger.error({ ...place, reason: because, pauseSeconds: pauseMs / 1000 }, 'token exchanges paused');
    }
    if (after.kind === 'closed') logger.info(place, 'token exchanges go on');
  };

const runInTurn = async (
  report: Report,
  { callerKey }: GateVisit,
  exchange: () => Promise<Exchanged>,
): Promise<Exchanged> => {
  let experiences: readonly Experience[] = [];
  try {
    const answer = await exchange();
    experiences = experiencesOf(answer);
    return answer;
  } finally {
    report(callerKey, experiences);
  }
};

/** The gate of one process. */
export const createExchangeGate = ({ logger, metrics, nowMs, random }: GateParts): ExchangeGate => {
  const turns = createTurns({ atOnce: AT_ONCE, perTenant: AT_ONCE_OF_TENANT, waiting: MAX_WAITING });
  const breakers = createBreakers({ nowMs, random, onChange: tellChange(logger) });
  metrics.watchGate({
    running: () => turns.running(),
    waiting: () => turns.waiting(),
    paused: () => breakers.open().length,
  });
  const refuse = (refusal: GateRefusal): Result<never, GateRefusal> => {
    metrics.turnedAway.inc({ reason: refusal.reason });
    return err(refusal);
  };
  return {
    run: async (visit, exchange) => {
      const startedMs = nowMs();
      const names = breakersOf(visit);
      // Before the queue too: nobody waits for a turn to be told that there is none.
      const paused = breakers.look(names);
      if (paused !== undefined) return refuse(pausedRefusal(paused));
      const { tenantId, abandoned } = visit;
      const place = { origin: new URL(visit.tokenEndpoint).origin, tenantId };
      const turn = await turns.take({ ...place, ...(abandoned === undefined ? {} : { abandoned }) });
      if (!turn.ok) return refuse(noTurnRefusal(turn.error));
      metrics.queued.observe((nowMs() - startedMs) / 1000);
      try {
        const report = breakers.pass(names);
        if (!report.ok) return refuse(pausedRefusal(report.error));
        const answer = await runInTurn(report.value, visit, exchange);
        return ok({ answer, tookSeconds: (nowMs() - startedMs) / 1000 });
      } finally {
        turn.value();
      }
    },
    facts: () => {
      const open = breakers.open();
      return {
        tokenExchangesWaiting: turns.waiting(),
        tokenExchangesPaused: open.length,
        ...(open.length === 0 ? {} : { tokenExchangesPausedFor: open.slice(0, MAX_NAMED).map(placeOf) }),
      };
    },
  };
};
