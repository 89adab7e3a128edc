// The other end: the response guard tells the registry what it has seen. No answer to a client waits for it.

import { err, ok, type Result } from '#core/result.ts';
import type { DriftSighting } from '#core/tool-drift.ts';
import { MAX_REPORTED, REPORT_METHOD } from '#registry/feed/drift/wire.ts';
import { createUnaryClient } from '#registry/feed/unary-client.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';
import type { Address } from '#runtime/address.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

const ANSWER_LIMIT_MS = 5_000;

export type DriftClient = {
  /**
   * Reports sightings, however many. May be repeated until it is answered. Never rejects; the error, for the log, says
   * that the registry was not reached and that some of them may not be recorded.
   */
  report(sightings: readonly DriftSighting[]): Promise<Result<true, string>>;
  stop(): void;
};

/** @param tls required for an address with peers. */
export const createDriftClient = (address: Address, tls: InternalTls | undefined): DriftClient => {
  const client = createUnaryClient({ address, tls }, REPORT_METHOD, ANSWER_LIMIT_MS);
  return {
    report: async (sightings) => {
      for (let from = 0; from < sightings.length; from += MAX_REPORTED) {
        const part = sightings.slice(from, from + MAX_REPORTED);
        const answered = await client.ask({ sightings: jsonBytes(part) });
        if (!answered.ok) return err(answered.error);
      }
      return ok(true);
    },
    stop: client.stop,
  };
};
