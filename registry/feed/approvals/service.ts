// The registry's end of questions about calls, beside the feed and on its address. Who may connect there may ask; to
// decide takes a person and the API.

import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { ApprovalAnswer, ApprovalQuestion } from '#core/call-approval.ts';
import { GatewayError } from '#core/gateway-error.ts';
import {
  APPROVAL_SERVICE,
  type AskRequest,
  type AskResponse,
  parseQuestion,
} from '#registry/feed/approvals/wire.ts';
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
    Ask: (call: ServerUnaryCall<AskRequest, AskResponse>, reply: sendUnaryData<AskResponse>) => {
      const question = parseQuestion(call.request.question);
      if (!question.ok)
        return reply({ code: status.INVALID_ARGUMENT, details: 'the question is unreadable' });
      ask(question.value).then(
        (answer) => reply(null, { answer: jsonBytes(answer) }),
        (thrown: unknown) => {
          logger.error(
            { error: GatewayError.from(thrown).message },
            'a call could not be put before a person',
          );
          reply({ code: status.UNAVAILABLE, details: 'the store does not answer' });
        },
      );
    },
  },
});
