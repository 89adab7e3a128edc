// One JSON line per event on stdout. What must never be printed is a Secret already; a second fence
// (secret-fields.ts) stands before headers and bodies that a library hands us in an error.

import { type Logger, destination as openDestination, pino, stdTimeFunctions } from 'pino';
import { withoutSecretFields } from '#runtime/secret-fields.ts';

export type { Logger };

/** Lines that wait for a disk that is full; what comes beyond them is lost. */
const WAITING_BYTES = 1_048_576;

/**
 * Stdout, which may be a file on a full disk: what cannot be written waits and is tried again with the next line. A service
 * goes on without its log; without its audit it refuses by itself.
 */
const openStdout = () => {
  const stdout = openDestination({ dest: 1, sync: true, maxLength: WAITING_BYTES });
  // Without a listener the first failed line would end the process.
  stdout.on('error', () => undefined);
  return stdout;
};

/**
 * A logger for one service.
 * @param destination for tests; stdout otherwise.
 */
export const createLogger = (
  service: string,
  level: string,
  destination?: { write(line: string): void },
): Logger => {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: stdTimeFunctions.isoTime,
    // Not pino's own `redact`: with wildcards it parses every member of every line anew, which was an eighth of a decision.
    formatters: { level: (label: string) => ({ level: label }), log: withoutSecretFields },
  };
  return pino(options, destination ?? openStdout());
};
