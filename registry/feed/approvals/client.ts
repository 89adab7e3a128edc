// The other end: one connection to the registry for questions about calls, made when the first one is asked.

import { Client } from '@grpc/grpc-js';
import type { ApprovalAnswer, ApprovalQuestion } from '#core/call-approval.ts';
import { err, type Result } from '#core/result.ts';
import { ASK_METHOD, parseAnswer } from '#registry/feed/approvals/wire.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { dialOptions } from '#runtime/grpc-client.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

/** A caller waits, and the check as a whole has a deadline (ext-authz/main.ts). */
const ANSWER_LIMIT_MS = 2_000;

export type ApprovalClient = {
  /** Never rejects. The error is for the log: whoever cannot ask does not know that anything was approved. */
  ask(question: ApprovalQuestion): Promise<Result<ApprovalAnswer, string>>;
  stop(): void;
};

/** @param tls required for an address with peers. */
export const createApprovalClient = (address: Address, tls: InternalTls | undefined): ApprovalClient => {
  let client: Client | undefined;
  const dial = (): Client => {
    const { credentials, options } = dialOptions(address, tls);
    return new Client(grpcTarget(address), credentials, options);
  };
  // Credentials are of the moment they are made at: after a failure the next question dials anew.
  const drop = (failed: Client): void => {
    failed.close();
    if (client === failed) client = undefined;
  };
  const send = (used: Client, question: ApprovalQuestion): Promise<Result<ApprovalAnswer, string>> =>
    new Promise((resolve) => {
      used.makeUnaryRequest(
        ASK_METHOD.path,
        ASK_METHOD.requestSerialize,
        ASK_METHOD.responseDeserialize,
        { question: jsonBytes(question) },
        { deadline: Date.now() + ANSWER_LIMIT_MS },
        (error, response) => {
          if (error !== null) drop(used);
          resolve(
            error === null && response !== undefined
              ? parseAnswer(response.answer)
              : err(error?.message ?? 'no answer'),
          );
        },
      );
    });
  return {
    ask: async (question) => {
      client ??= dial();
      return send(client, question);
    },
    stop: () => client?.close(),
  };
};
