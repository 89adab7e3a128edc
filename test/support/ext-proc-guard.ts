// The response guard as a test runs it inside its own process: real service, real gRPC, its log and counts at hand.

import { type DriftState, NO_DRIFT } from '#core/drift-book.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { ok } from '#core/result.ts';
import { sealingKeysOf } from '#core/sealing-key.ts';
import type { DriftSighting } from '#core/tool-drift.ts';
import { createAnswerSteps } from '#ext-proc/answer-steps.ts';
import type { BodyLimits } from '#ext-proc/body-guard.ts';
import { createHeldBytes } from '#ext-proc/held-bytes.ts';
import { createLiveStreams, type LiveStreams } from '#ext-proc/live-streams.ts';
import { createMeasures } from '#ext-proc/measures.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import { createDriftWatch } from '#ext-proc/pins/drift-watch.ts';
import { createProcessService } from '#ext-proc/process.ts';
import type { AnswerRules } from '#ext-proc/rules/find-rules.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { BUILT_IN_DETECTORS } from '#ext-proc/sanitation/detectors/built-in.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';
import { SEALER, SESSION_KEY } from '#test/support/session-world.ts';

export type TestGuard = {
  /** For `startGuardBench`. */
  readonly start: (socketPath: string) => Promise<() => Promise<void>>;
  readonly liveStreams: LiveStreams;
  /** What answers are held against from now on; undefined: tools of any kind are pinned under the names that may be shown. */
  rules: AnswerRules | undefined;
  /** What the registry was told. */
  sightings: DriftSighting[];
  /** What the registry holds to drift. */
  drifting: DriftState;
  /** Added to the clock that sightings are made by. */
  laterMs: number;
  /** Processing streams since the last reset. */
  streams(): number;
  /** Log lines with this message since the last reset. */
  logged(message: string): readonly Record<string, unknown>[];
  logText(): string;
  metricsText(): Promise<string>;
  reset(): void;
};

const pinnedAsShown = ({ lists }: GuardOrders): AnswerRules => {
  const names = lists.flatMap(({ visible }) => (visible.all ? [] : visible.names));
  return answerRules({ tools: names.map((name) => pinnedTool(name)) });
};

/**
 * @param more detectors beside those that are built in.
 * @param before steps ahead of those of the product.
 */
export const createTestGuard = (
  limits: BodyLimits,
  more: readonly Detector[] = [],
  before: readonly MessageStep[] = [],
): TestGuard => {
  let lines: string[] = [];
  let streams = 0;
  const held: Pick<TestGuard, 'rules' | 'sightings' | 'drifting' | 'laterMs'> = {
    rules: undefined,
    sightings: [],
    drifting: NO_DRIFT,
    laterMs: 0,
  };
  const logger = createLogger('ext-proc', 'info', { write: (line) => void lines.push(line) });
  const metrics = createMetrics('ext-proc');
  const measures = createMeasures(metrics, logger);
  const liveStreams = createLiveStreams();
  const drift = createDriftWatch({
    reporter: {
      report: async (sightings) => {
        held.sightings.push(...sightings);
        return ok(true);
      },
    },
    known: () => held.drifting,
    metrics,
    logger,
    nowMs: () => Date.now() + held.laterMs,
  });
  const service = createProcessService({
    limits,
    liveStreams,
    heldBytes: createHeldBytes(10 * limits.maxBodyBytes, measures.held),
    measures,
    sealer: SEALER,
    rulesFor: (orders) => held.rules ?? pinnedAsShown(orders),
    steps: [
      ...before,
      ...createAnswerSteps({
        metrics,
        logger,
        measures,
        drift,
        detectors: [...BUILT_IN_DETECTORS, ...more],
        sealer: SEALER,
      }),
    ],
    keysFor: () => sealingKeysOf([SESSION_KEY]),
    endedBy: () => undefined,
  });
  const process = service.implementation['Process'] as unknown as (call: unknown) => void;
  const counted = {
    ...service,
    implementation: {
      Process: (call: unknown) => {
        streams += 1;
        process(call);
      },
    },
  };
  return Object.assign(held, {
    start: (socketPath: string) =>
      startGrpcServer({ kind: 'unix', path: socketPath }, [counted as typeof service]),
    liveStreams,
    streams: () => streams,
    logged: (message: string) =>
      lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => line['message'] === message),
    logText: () => lines.join(''),
    metricsText: async () => (await metrics.render()).body,
    reset: () => {
      lines = [];
      streams = 0;
      held.rules = undefined;
      held.sightings = [];
    },
  });
};
