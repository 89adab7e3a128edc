// Is it up? One question per kind of program, asked until the answer is yes.

import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '#runtime/address.ts';

const POLL_MS = 50;
const PROBE_MS = 2_000;

const connection = (address: Address): { socketPath: string } | { host: string; port: number } =>
  address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port };

/** Status of a GET, or undefined where nothing answers. */
export const getStatus = (
  address: Address,
  path: string,
  options: { readonly method?: 'GET' | 'POST' } = {},
): Promise<number | undefined> =>
  new Promise((resolve) => {
    const probe = request(
      { ...connection(address), path, method: options.method ?? 'GET', timeout: PROBE_MS, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    probe.once('error', () => resolve(undefined));
    probe.once('timeout', () => probe.destroy());
    probe.end();
  });

/** Loopback TCP. */
export const loopback = (port: number): Address => ({ kind: 'tcp', host: '127.0.0.1', port });

/** A probe that is satisfied by a 200. */
export const answersOk = (address: Address, path: string) => async (): Promise<boolean> =>
  (await getStatus(address, path)) === 200;

/**
 * Asks until the answer is yes.
 * @returns false if the time is over or `signal` was aborted first
 */
export const waitUntil = async (
  isTrue: () => Promise<boolean>,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<boolean> => {
  const end = Date.now() + options.deadlineMs;
  while (Date.now() < end && !options.signal.aborted) {
    if (await isTrue()) return true;
    await sleep(POLL_MS);
  }
  return false;
};
