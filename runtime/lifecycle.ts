// How a service lives: it starts or says why not, drains on SIGTERM or SIGINT in reverse order of starting, and ends.

import { GatewayError } from '#core/gateway-error.ts';
import type { Logger } from '#runtime/logger.ts';

/** Longest time a drain may take, milliseconds; a stuck peer must not keep the process. */
const DRAIN_DEADLINE_MS = 10_000;

export type Lifecycle = {
  /** Registers what ends a part; parts end in reverse order of registration. */
  onStop(name: string, stop: () => Promise<void> | void): void;
};

const stopAll = async (parts: { name: string; stop: () => Promise<void> | void }[], logger: Logger) => {
  for (const { name, stop } of parts.toReversed()) {
    try {
      await stop();
    } catch (thrown) {
      logger.error({ part: name, error: GatewayError.from(thrown).message }, 'part failed to stop');
    }
  }
};

/**
 * Runs a service until a signal ends it. `start` wires the parts; whatever it throws is logged as one line and
 * ends the process with status 1.
 */
export const runService = (logger: Logger, start: (lifecycle: Lifecycle) => Promise<void>): void => {
  // Files and sockets hold tokens and every tenant's configuration; a socket must not be open even between bind and chmod.
  process.umask(0o077);
  const parts: { name: string; stop: () => Promise<void> | void }[] = [];
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'draining');
    setTimeout(() => process.exit(1), DRAIN_DEADLINE_MS).unref();
    await stopAll(parts, logger);
    logger.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
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
  start({ onStop: (name, partStop) => parts.push({ name, stop: partStop }) }).catch(fail('failed to start'));
};
