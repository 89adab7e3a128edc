// The steps that every message of an answer goes through, in their one order: what may be seen, what is redacted in it,
// what is found in what is left, who may keep it. State is sealed behind whatever may change a message.

import { createListStep } from '#ext-proc/lists/list-step.ts';
import type { Measures } from '#ext-proc/measures.ts';
import { cacheStep } from '#ext-proc/message/cache-step.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { createFindingReport } from '#ext-proc/sanitation/finding-report.ts';
import { createSanitiseStep } from '#ext-proc/sanitation/sanitise-step.ts';
import type { Sealer } from '#ext-proc/session/seal-answer.ts';
import { createStateStep } from '#ext-proc/session/state-step.ts';
import { createStrayStep } from '#ext-proc/session/stray-step.ts';
import { createTransformMeasures } from '#ext-proc/transform-measures.ts';
import { createRedactionStep } from '#ext-proc/transforms/redaction-step.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** Registers what the steps count, once per `metrics`. */
export const createAnswerSteps = (parts: {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly measures: Measures;
  readonly detectors: readonly Detector[];
  readonly sealer: Sealer;
}): readonly MessageStep[] => [
  createStrayStep(parts.measures.unread),
  createListStep(parts.measures.cut),
  createRedactionStep({ fitsSchema: () => undefined, measures: createTransformMeasures(parts.metrics) }),
  createSanitiseStep({
    detectors: parts.detectors,
    report: createFindingReport(parts.metrics, parts.logger),
  }),
  cacheStep,
  createStateStep(parts.sealer),
];
