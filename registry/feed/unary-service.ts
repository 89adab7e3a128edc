// The registry's end of single questions: what cannot be read is said so, and a store that does not answer is no answer.
// Knows no question.

import { type handleUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { GatewayError } from '#core/gateway-error.ts';
import type { Result } from '#core/result.ts';
import type { Logger } from '#runtime/logger.ts';

/** @param parts.trouble what could not be done where answering throws; for the log. */
export const answerUnary =
  <Request, Response, Question>(parts: {
    readonly parse: (request: Request) => Result<Question, 'unreadable'>;
    readonly answer: (question: Question) => Promise<Response>;
    readonly trouble: string;
    readonly logger: Logger;
  }): handleUnaryCall<Request, Response> =>
  ({ request }, reply: sendUnaryData<Response>) => {
    const question = parts.parse(request);
    if (!question.ok) return reply({ code: status.INVALID_ARGUMENT, details: 'the question is unreadable' });
    parts.answer(question.value).then(
      (answer) => reply(null, answer),
      (thrown: unknown) => {
        parts.logger.error({ error: GatewayError.from(thrown).message }, parts.trouble);
        reply({ code: status.UNAVAILABLE, details: 'the store does not answer' });
      },
    );
  };
