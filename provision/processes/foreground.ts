// A fleet in the foreground of a terminal: it runs until a signal, a second signal changes nothing (npm and the
// terminal both send one for a single Ctrl-C), and the process ends when all of it has ended.

import type { Fleet } from '#provision/processes/fleet.ts';

export type ForegroundWords = {
  readonly onStopping: () => void;
  readonly onStopped: () => void;
  readonly onFailed: (message: string) => void;
};

/**
 * Starts the fleet and stays until it is told to stop.
 * @param onReady called once everything is up
 * @returns never in practice: the process exits with 0 after a signal, with 1 if the start failed
 */
export const runInForeground = async (
  fleet: Fleet,
  onReady: () => void,
  words: ForegroundWords,
): Promise<void> => {
  let ending: Promise<void> | undefined;
  const end = (code: number, say: () => void): Promise<void> => {
    ending ??= (async () => {
      say();
      await fleet.stop();
      if (code === 0) words.onStopped();
      process.exit(code);
    })();
    return ending;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void end(0, words.onStopping));
  try {
    await fleet.start();
    if (ending === undefined) onReady();
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    await end(1, () => words.onFailed(message));
  }
};
