// The other end: a caller waits for the answer, and the check as a whole has a deadline (ext-authz/main.ts).

import type { ApprovalAnswer, ApprovalQuestion } from '#core/call-approval.ts';
import type { Result } from '#core/result.ts';
import { ASK_METHOD, parseAnswer } from '#registry/feed/approvals/wire.ts';
import { createUnaryClient } from '#registry/feed/unary-client.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';
import type { Address } from '#runtime/address.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

const ANSWER_LIMIT_MS = 2_000;

export type ApprovalClient = {
  /** Never rejects. The error is for the log: whoever cannot ask does not know that anything was approved. */
  ask(question: ApprovalQuestion): Promise<Result<ApprovalAnswer, string>>;
  stop(): void;
};

/** @param tls required for an address with peers. */
export const createApprovalClient = (address: Address, tls: InternalTls | undefined): ApprovalClient => {
  const client = createUnaryClient({ address, tls }, ASK_METHOD, ANSWER_LIMIT_MS);
  return {
    ask: async (question) => {
      const answered = await client.ask({ question: jsonBytes(question) });
      return answered.ok ? parseAnswer(answered.value.answer) : answered;
    },
    stop: client.stop,
  };
};
