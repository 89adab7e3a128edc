// How a service lives: it starts or says why not, drains on SIGTERM or SIGINT, and ends with a status that says how.
// Draining: readiness says no, all goes on for a while, parts end in reverse order of starting, then the operations.

import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '#core/gateway-error.ts';
import { type DrainSettings, readDrainSettings } from '#runtime/drain-settings.ts';
import type { Logger } from '#runtime/logger.ts';

/** Beyond the limit of its calls a part needs time to close files and to tell its peers; then it counts as stuck. */
const CLOSING_MS = 5_000;

/** npm and the terminal both send a signal for one Ctrl-C; what comes later than that is impatience. */
const ONE_SIGNAL_MS = 1_000;

type Stop = () => Promise<void> | void;
type Part = { readonly name: string; readonly stop: Stop };

export type Lifecycle = {
  /** Registers what ends a part; parts end in reverse order of registration. */
  onStop(name: string, stop: Stop): void;
  /** Registers what is to be said at once when the end is asked for, before anything ends. */
  onDrain(name: string, tell: Stop): void;
  /** Registers what ends after all parts: operators and probes want answers to the last. */
  onEnd(name: string, stop: Stop): void;
  /** True from the first signal on. Whoever asks for readiness is told no. */
  isDraining(): boolean;
};

type Parts = { readonly told: Part[]; readonly stopped: Part[]; readonly ended: Part[] };

/** Runs all of them, one after another, whatever becomes of each; returns the names of those that failed. */
const runAll = async (
  parts: readonly Part[],
  logger: Logger,
  onPart: (name: string) => void,
): Promise<readonly string[]> => {
  const failed: string[] = [];
  for (const { name, stop } of parts) {
    onPart(name);
    try {
      await stop();
    } catch (thrown) {
      failed.push(name);
      logger.error({ part: name, error: GatewayError.from(thrown).message }, 'part failed to stop');
    }
  }
  return failed;
};

/** What a process that did not end in good order says last; `reason` is for whoever looks at its status. */
const endBadly = (
  logger: Logger,
  reason: 'drain_overdue' | 'part_failed' | 'second_signal',
  facts: object,
): never => {
  logger.fatal({ reason, ...facts }, 'ended in disorder');
  process.exit(1);
};

const drain = async (parts: Parts, { delayMs, limitMs }: DrainSettings, logger: Logger): Promise<void> => {
  let current = '';
  const onPart = (name: string): void => {
    current = name;
  };
  const overdue = () => endBadly(logger, 'drain_overdue', { part: current });
  setTimeout(overdue, delayMs + limitMs + CLOSING_MS).unref();
  const untold = await runAll(parts.told, logger, onPart);
  await sleep(delayMs);
  const failed = await runAll([...parts.stopped.toReversed(), ...parts.ended.toReversed()], logger, onPart);
  if (failed.length + untold.length > 0) endBadly(logger, 'part_failed', { parts: [...untold, ...failed] });
};

/** Drains at the first signal; one that comes later than the echo of the first ends the process at once. */
const drainOnSignal = (parts: Parts, settings: DrainSettings, logger: Logger): (() => boolean) => {
  let since: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (since !== undefined) {
      if (performance.now() - since > ONE_SIGNAL_MS) endBadly(logger, 'second_signal', { signal });
      return;
    }
    since = performance.now();
    logger.info({ signal }, 'draining');
    void drain(parts, settings, logger).then(() => {
      logger.info('stopped');
      process.exit(0);
    });
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
  return () => since !== undefined;
};

/**
 * Runs a service until a signal ends it. `start` wires the parts; whatever it throws is logged as one line and
 * ends the process with status 1. A drain within its time ends it with 0, any other with 1 and a `reason`.
 */
export const runService = (logger: Logger, start: (lifecycle: Lifecycle) => Promise<void>): void => {
  // Files and sockets hold tokens and every tenant's configuration; a socket must not be open even between bind and chmod.
  process.umask(0o077);
  const fail = (what: string) => (thrown: unknown) => {
    const error = GatewayError.from(thrown);
    // A faulty configuration is the operator's to mend: a stack would only hide the line that names it.
    const stack = error.code === 'config_invalid' ? {} : { stack: error.stack };
    logger.fatal({ code: error.code, error: error.message, ...stack }, what);
    process.exit(1);
  };
  // An unknown state must not go on deciding calls: the supervisor restarts us, Envoy fails closed meanwhile.
  process.on('uncaughtException', fail('uncaught exception'));
  process.on('unhandledRejection', fail('unhandled rejection'));
  const run = async (): Promise<void> => {
    const parts: Parts = { told: [], stopped: [], ended: [] };
    const isDraining = drainOnSignal(parts, readDrainSettings(), logger);
    await start({
      onStop: (name, stop) => parts.stopped.push({ name, stop }),
      onDrain: (name, stop) => parts.told.push({ name, stop }),
      onEnd: (name, stop) => parts.ended.push({ name, stop }),
      isDraining,
    });
  };
  run().catch(fail('failed to start'));
};
