// A consumer's questions for bundles of policies, which are too large to travel with tenants. One at a time: a consumer
// that starts asks for hundreds, and the feed's own messages must get through between them.

import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';

/** How long an answer is waited for, milliseconds: some megabytes over a busy connection. */
const ANSWER_LIMIT_MS = 20_000;

export type BundleQuestion = { readonly tenant: string; readonly digest: string };

/** `unknown`: the registry has none of this digest. `unreachable`: it did not answer; asking again may help. */
export type NoBundle = 'unknown' | 'unreachable';

export type BundleRequests = {
  /** The archive of this digest. Never rejects. */
  fetch(question: BundleQuestion): Promise<Result<Buffer, NoBundle>>;
  /** An answer came. False: nobody asked that. */
  answered(answer: BundleQuestion & { readonly bundle: Buffer }): boolean;
  /** The connection is over, and so is the question that was on it. */
  lost(): void;
};

const isOf = (digest: string, bundle: Buffer): boolean =>
  createHash('sha256').update(bundle).digest('hex') === digest;

/** @param send puts a question on the connection; false where there is none. */
export const createBundleRequests = (
  send: (question: BundleQuestion) => boolean,
  limitMs: number = ANSWER_LIMIT_MS,
): BundleRequests => {
  let asked: (BundleQuestion & { readonly settle: (outcome: Result<Buffer, NoBundle>) => void }) | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const ask = (question: BundleQuestion): Promise<Result<Buffer, NoBundle>> =>
    new Promise((resolve) => {
      const settle = (outcome: Result<Buffer, NoBundle>): void => {
        clearTimeout(timer);
        asked = undefined;
        resolve(outcome);
      };
      const timer = setTimeout(() => settle(err('unreachable')), limitMs);
      asked = { ...question, settle };
      if (!send(question)) settle(err('unreachable'));
    });

  return {
    fetch: (question) => {
      const answer = last.then(() => ask(question));
      last = answer;
      return answer;
    },
    answered: ({ tenant, digest, bundle }) => {
      if (asked?.tenant !== tenant || asked.digest !== digest) return false;
      if (bundle.length > 0 && !isOf(digest, bundle)) return false;
      asked.settle(bundle.length === 0 ? err('unknown') : ok(bundle));
      return true;
    },
    lost: () => asked?.settle(err('unreachable')),
  };
};
