// One JSON line per event on stdout. What must never be printed is a Secret already; a second fence
// (secret-fields.ts) stands before headers and bodies that a library hands us in an error.

import { type Logger, pino, stdTimeFunctions } from 'pino';
import { withoutSecretFields } from '#runtime/secret-fields.ts';

export type { Logger };

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
  return destination === undefined ? pino(options) : pino(options, destination);
};
