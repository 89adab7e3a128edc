// One target tried from one seed: what is kept of it first, then new inputs; a counterexample comes back as small as it
// could be made.

import fc from 'fast-check';
import { readCorpus } from '#test/fuzz/corpus.ts';
import type { Target } from '#test/fuzz/target.ts';

export type Counterexample = { readonly bytes: Buffer; readonly what: string; readonly isKept: boolean };

export type Try = {
  readonly seed: number;
  readonly runs: number;
  /** Stops looking after this long, milliseconds; without one, only the runs count. */
  readonly limitMs?: number;
};

export type Tried = { readonly runs: number; readonly counterexample?: Counterexample };

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

const findInCorpus = async (target: Target): Promise<Counterexample | undefined> => {
  for (const { name, bytes } of readCorpus(target.name)) {
    try {
      await target.holds(bytes);
    } catch (thrown) {
      return { bytes, what: `${name}: ${messageOf(thrown)}`, isKept: true };
    }
  }
  return undefined;
};

export const tryTarget = async (target: Target, { seed, runs, limitMs }: Try): Promise<Tried> => {
  const kept = await findInCorpus(target);
  if (kept !== undefined) return { runs: 0, counterexample: kept };
  const corpus = readCorpus(target.name).map(({ bytes }) => bytes);
  const details = await fc.check(
    fc.asyncProperty(target.inputs(corpus), async (bytes) => {
      await target.holds(bytes);
    }),
    { seed, numRuns: runs, ...(limitMs === undefined ? {} : { interruptAfterTimeLimit: limitMs }) },
  );
  const [bytes] = details.counterexample ?? [];
  return bytes === undefined
    ? { runs: details.numRuns }
    : {
        runs: details.numRuns,
        counterexample: { bytes, what: messageOf(details.errorInstance), isKept: false },
      };
};
