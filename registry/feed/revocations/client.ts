// The other end: a service that has learnt of a revocation tells the registry. Nobody's call waits for it.

import { err, type Result } from '#core/result.ts';
import type { RevocationAnswer, RevocationReport } from '#core/revocation.ts';
import { parseAnswer, REPORT_METHOD } from '#registry/feed/revocations/wire.ts';
import { createUnaryClient } from '#registry/feed/unary-client.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';
import type { Address } from '#runtime/address.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

const ANSWER_LIMIT_MS = 5_000;

export type RevocationClient = {
  /**
   * Reports that what began before `notBefore` counts no more. Idempotent: may be repeated until it is answered.
   * Never rejects; the error, for the log, says that the registry was not reached and nothing is known to be recorded.
   */
  report(report: RevocationReport): Promise<Result<RevocationAnswer, string>>;
  stop(): void;
};

/** @param tls required for an address with peers. */
export const createRevocationClient = (address: Address, tls: InternalTls | undefined): RevocationClient => {
  const client = createUnaryClient({ address, tls }, REPORT_METHOD, ANSWER_LIMIT_MS);
  return {
    report: async (report) => {
      const answered = await client.ask({ report: jsonBytes(report) });
      return answered.ok ? parseAnswer(answered.value.answer) : err(answered.error);
    },
    stop: client.stop,
  };
};
