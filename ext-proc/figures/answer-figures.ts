// Tells the registry what was judged of answers, every second in which there was any: as often as figures of Envoys are
// told, so that a version is taken back by the one as fast as by the other.

import type { ConsumerStatus } from '#core/feed-message.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '#core/snapshot.ts';
import { type AnswerCounter, createAnswerCounter } from '#ext-proc/figures/answer-counter.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';

const REPORT_MS = 1_000;

/** Where the registry is told, and what is served now. */
type Feed = {
  current(): { readonly snapshot: Snapshot };
  report(status: ConsumerStatus): unknown;
};

/**
 * Starts counting and telling. What a registry that is away does not hear is lost, as it is of Envoys: nobody judges by
 * what is old.
 * @returns where whoever judges an answer says what came of it.
 */
export const startAnswerFigures = (
  lifecycle: Pick<Lifecycle, 'onStop'>,
  feed: () => Feed | undefined,
): AnswerCounter['judged'] => {
  const served = (): Snapshot => feed()?.current().snapshot ?? EMPTY_SNAPSHOT;
  const counter = createAnswerCounter(served);
  const tell = (): void => {
    const versions = counter.take();
    if (versions.length > 0) feed()?.report({ sequence: served().sequence, figures: { versions } });
  };
  const timer = setInterval(tell, REPORT_MS).unref();
  lifecycle.onStop('figures of answers', () => clearInterval(timer));
  return counter.judged;
};
