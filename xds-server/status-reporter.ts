// Tells the registry how far Envoys have come, whenever that changed: at once, and then no more than every few
// milliseconds, because many Envoys answer for one change one after another; and what they counted of calls, each once.

import type { VersionFigures } from '#core/call-figures.ts';
import type { ConsumerStatus, EnvoyNodeStatus, GoneNode } from '#core/feed-message.ts';
import type { VersionPace } from '#core/pace.ts';

export type StatusReporter = {
  /** What is reported may have changed. */
  changed(): void;
  /** Calls were counted. While the registry is away they are lost: nobody judges by what is that old. */
  figures(versions: readonly VersionFigures[]): void;
  /** Where all paces stand now. Said once, with the next report: whoever hears it keeps it until it is said anew. */
  paces(paces: readonly VersionPace[]): void;
  /** From here on reports are sent; what was said before is sent at once. */
  start(send: (status: ConsumerStatus) => void): void;
};

/** Shortest time between two reports, milliseconds. */
const PAUSE_MS = 20;

/** A reporter that asks for the facts only when it reports. */
export const createStatusReporter = (facts: {
  readonly publishedSequence: () => number;
  readonly nodes: () => readonly EnvoyNodeStatus[];
  readonly gone: () => readonly GoneNode[];
  /** Ids of tenants whose present state cannot be translated. */
  readonly untranslated: () => readonly string[];
}): StatusReporter => {
  let send: ((status: ConsumerStatus) => void) | undefined;
  let state: 'idle' | 'scheduled' | 'pausing' = 'idle';
  let isMissed = false;
  let reported = '';
  // Said at first though there are none: a registry may remember those of the process before.
  let paces: readonly VersionPace[] | undefined = [];

  const pause = (): void => {
    state = 'pausing';
    setTimeout(() => {
      state = 'idle';
      if (isMissed) changed();
    }, PAUSE_MS).unref();
  };

  const statusNow = (): ConsumerStatus => {
    const untranslated = facts.untranslated();
    const gone = facts.gone();
    return {
      sequence: Math.max(0, facts.publishedSequence()),
      nodes: facts.nodes(),
      ...(gone.length === 0 ? {} : { gone }),
      ...(untranslated.length === 0 ? {} : { untranslated }),
    };
  };

  const report = (): void => {
    state = 'idle';
    isMissed = false;
    const status = statusNow();
    const text = JSON.stringify(status);
    if (send === undefined || (text === reported && paces === undefined)) return;
    reported = text;
    send(paces === undefined ? status : { ...status, paces });
    paces = undefined;
    pause();
  };

  const changed = (): void => {
    isMissed = true;
    if (state !== 'idle') return;
    state = 'scheduled';
    setImmediate(report);
  };

  return {
    changed,
    figures: (versions) => send?.({ ...statusNow(), figures: { versions } }),
    paces: (next) => {
      paces = next;
      changed();
    },
    start: (sender) => {
      send = sender;
      changed();
    },
  };
};
