// The registry's end of reports of revocations, beside the feed and on its address. Who may connect there may report: it can
// make people sign in anew, and nothing else.

import type { RevocationAnswer, RevocationReport } from '#core/revocation.ts';
import {
  parseReport,
  REVOCATION_SERVICE,
  type ReportRequest,
  type ReportResponse,
} from '#registry/feed/revocations/wire.ts';
import { answerUnary } from '#registry/feed/unary-service.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Logger } from '#runtime/logger.ts';

/** @param record what becomes of a report (registry/record-revocation.ts). */
export const createRevocationService = (
  record: (report: RevocationReport) => Promise<RevocationAnswer>,
  logger: Logger,
): GrpcService => ({
  definition: REVOCATION_SERVICE,
  implementation: {
    Report: answerUnary<ReportRequest, ReportResponse, RevocationReport>({
      parse: ({ report }) => parseReport(report),
      answer: async (report) => ({ answer: jsonBytes(await record(report)) }),
      trouble: 'a revocation could not be recorded',
      logger,
    }),
  },
});
