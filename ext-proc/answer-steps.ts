// The steps that every message of an answer goes through, in their one order: whether it is an answer to this call at
// all, what may be seen, whether it fits, what is redacted in it, what is found in what is left, who may keep it. State
// is sealed behind whatever may change a message.

import { createListStep } from '#ext-proc/lists/list-step.ts';
import type { Measures } from '#ext-proc/measures.ts';
import { cacheStep } from '#ext-proc/message/cache-step.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import type { DriftWatch } from '#ext-proc/pins/drift-watch.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { createFindingReport } from '#ext-proc/sanitation/finding-report.ts';
import { createSanitiseStep } from '#ext-proc/sanitation/sanitise-step.ts';
import type { Sealer } from '#ext-proc/session/seal-answer.ts';
import { createStateStep } from '#ext-proc/session/state-step.ts';
import { createStrayStep } from '#ext-proc/session/stray-step.ts';
import { createTransformMeasures } from '#ext-proc/transform-measures.ts';
import { createExtractionStep } from '#ext-proc/transforms/extraction-step.ts';
import { createRedactionStep } from '#ext-proc/transforms/redaction-step.ts';
import { createIdStep } from '#ext-proc/validation/id-step.ts';
import { fitsSchema } from '#ext-proc/validation/judge-result.ts';
import { createOutputSteps, type JudgedAnswer } from '#ext-proc/validation/output-steps.ts';
import { createUnfitReport } from '#ext-proc/validation/unfit-report.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** Registers what the steps count, once per `metrics`. */
export const createAnswerSteps = (parts: {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly measures: Measures;
  readonly drift: Pick<DriftWatch, 'saw'>;
  readonly detectors: readonly Detector[];
  readonly sealer: Sealer;
  /** Hears of answers that were held against an output schema. */
  readonly judged?: JudgedAnswer;
}): readonly MessageStep[] => {
  const report = createUnfitReport(parts.metrics, parts.logger);
  const output = createOutputSteps({ report, judged: parts.judged ?? (() => {}) });
  const transforms = createTransformMeasures(parts.metrics);
  return [
    createStrayStep(parts.measures.unread),
    createIdStep(report),
    createListStep({ report: parts.measures.cut, drift: parts.drift }),
    output.asSent,
    createRedactionStep({ fitsSchema, measures: transforms }),
    createSanitiseStep({
      detectors: parts.detectors,
      report: createFindingReport(parts.metrics, parts.logger),
    }),
    output.asLeft,
    createExtractionStep(transforms),
    cacheStep,
    createStateStep(parts.sealer),
  ];
};
