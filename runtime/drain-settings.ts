// How long a process that is told to end may take, and whether one that starts takes over from one that still runs.

import { flag, integer, readConfig } from '#runtime/config.ts';

const VARIABLES = {
  /** Everything goes on for so long while readiness says no: balancers need the time to look away. */
  delaySeconds: integer(0, 600)('DRAIN_DELAY_SECONDS', '0'),
  /** Then calls and streams that are open may go on for so long. */
  limitSeconds: integer(1, 3600)('DRAIN_SECONDS', '5'),
};

export type DrainSettings = { readonly delayMs: number; readonly limitMs: number };

/**
 * Both times in milliseconds, from `DRAIN_DELAY_SECONDS` and `DRAIN_SECONDS`.
 * @throws GatewayError `config_invalid` naming the faulty variable.
 */
export const readDrainSettings = (): DrainSettings => {
  const { delaySeconds, limitSeconds } = readConfig(VARIABLES);
  return { delayMs: delaySeconds * 1_000, limitMs: limitSeconds * 1_000 };
};

const SUCCESSION = { takeOver: flag('TAKE_OVER', 'false') };

/**
 * True where this process takes the place of a living one (`TAKE_OVER=true`): it may put its sockets in the place of
 * those that are answered, and share a port with the one that leaves.
 * @throws GatewayError `config_invalid`.
 */
export const isSuccessor = (): boolean => readConfig(SUCCESSION).takeOver;
