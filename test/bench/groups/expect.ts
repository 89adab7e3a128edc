// Whether what was answered is what should have been answered. A server that is fast because it answers wrongly ends the run.

import { DENIED_EVERY } from '#test/bench/check/calls.ts';
import type { CheckReport, HttpReport } from '#test/bench/peers/peers.ts';

/** Shares of what is rotated are exact but for where the rotation was entered and left. */
const TOLERANCE = 1;

const refuse = (who: string, what: string): never => {
  throw new Error(`${who}: ${what}; its speed says nothing`);
};

/** @param mix `mixed`: one call in DENIED_EVERY is denied. @throws one line that says what was answered. */
export const expectChecks = (
  who: string,
  { sent, allowed, denied, errors }: CheckReport,
  mix: 'mixed' | 'allowed',
): void => {
  if (sent === 0) refuse(who, 'nothing was answered');
  if (errors > 0) refuse(who, `${errors} checks of ${sent} failed`);
  const expected = mix === 'mixed' ? sent / DENIED_EVERY : 0;
  if (Math.abs(denied - expected) > TOLERANCE || allowed + denied !== sent)
    refuse(who, `${denied} checks of ${sent} were denied, and ${expected.toFixed(1)} were to be`);
};

/** Every call is answered with 200 and a result. @throws one line that says what was answered. */
export const expectResults = (who: string, { sent, status, rpcErrors, errors }: HttpReport): void => {
  if (sent === 0) refuse(who, 'nothing was answered');
  if (errors > 0) refuse(who, `${errors} calls of ${sent} failed`);
  if (status['200'] !== sent || rpcErrors > 0)
    refuse(who, `of ${sent} calls ${rpcErrors} were refused, by status ${JSON.stringify(status)}`);
};

/** Nobody was judged: a gateway whose upstream or judge is away refuses everything, and says so with 5xx. */
const isFailure = (status: string): boolean => status.startsWith('5');

/** No call gets a result: each is refused by its status or by a JSON-RPC error. @throws one line that says what was answered. */
export const expectRefusals = (who: string, { sent, status, rpcErrors, errors }: HttpReport): void => {
  if (sent === 0 || errors > 0)
    refuse(who, `${errors} of ${sent + errors} calls that are to be refused failed`);
  if (Object.keys(status).some(isFailure))
    refuse(who, `calls that are to be refused failed, by status ${JSON.stringify(status)}`);
  const granted = (status['200'] ?? 0) - rpcErrors;
  if (granted > 0) refuse(who, `${granted} calls of ${sent} got a result that are to be refused`);
};
