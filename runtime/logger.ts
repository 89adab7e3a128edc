// One JSON line per event on stdout. What must never be printed is a Secret already; the paths redacted here are a
// second fence for headers and bodies that a library hands us in an error.

import { type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger };

const REDACTED_PATHS = [
  'authorization',
  '*.authorization',
  '*.*.authorization',
  'token',
  '*.token',
  '*.assertion',
  '*.client_secret',
  '*.access_token',
  '*.password',
  '*.cookie',
];

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
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
};
