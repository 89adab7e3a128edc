// The registry's end of questions about calls, beside the feed and on its address. Who may connect there may ask; to
// decide takes a person and the API.

import type { ApprovalAnswer, ApprovalQuestion } from '#core/call-approval.ts';
import {
  APPROVAL_SERVICE,
  type AskRequest,
  type AskResponse,
  parseQuestion,
} from '#registry/feed/approvals/wire.ts';
import { answerUnary } from '#registry/feed/unary-service.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Logger } from '#runtime/logger.ts';

/** @param ask what became of a question (registry/store). */
export const createApprovalService = (
  ask: (question: ApprovalQuestion) => Promise<ApprovalAnswer>,
  logger: Logger,
): GrpcService => ({
  definition: APPROVAL_SERVICE,
  implementation: {
    Ask: answerUnary<AskRequest, AskResponse, ApprovalQuestion>({
      parse: ({ question }) => parseQuestion(question),
      answer: async (question) => ({ answer: jsonBytes(await ask(question)) }),
      trouble: 'a call could not be put before a person',
      logger,
    }),
  },
});
