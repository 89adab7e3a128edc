// The registry's end of reports of drifting tools, beside the feed and on its address. Who may connect there may report: it
// can have a tool refused, or no longer refused, and is the very process that sees what servers serve.

import type { DriftSighting } from '#core/tool-drift.ts';
import {
  DRIFT_SERVICE,
  parseReport,
  type ReportRequest,
  type ReportResponse,
} from '#registry/feed/drift/wire.ts';
import { answerUnary } from '#registry/feed/unary-service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Logger } from '#runtime/logger.ts';

/** @param record what becomes of a report (registry/drift/record-drift.ts); resolves with how many sightings count. */
export const createDriftService = (
  record: (sightings: readonly DriftSighting[]) => Promise<number>,
  logger: Logger,
): GrpcService => ({
  definition: DRIFT_SERVICE,
  implementation: {
    Report: answerUnary<ReportRequest, ReportResponse, readonly DriftSighting[]>({
      parse: ({ sightings }) => parseReport(sightings),
      answer: async (sightings) => ({ taken: await record(sightings) }),
      trouble: 'sightings of drifting tools could not be recorded',
      logger,
    }),
  },
});
