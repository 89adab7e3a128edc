// Is it up? One question per kind of program, asked until the answer is yes.

import { request } from 'node:http';
import { text } from 'node:stream/consumers';
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

/** Text of a GET, or undefined where nothing answers. */
const getText = (address: Address, path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const probe = request(
      { ...connection(address), path, timeout: PROBE_MS, agent: false },
      (response) => void text(response).then(resolve, () => resolve(undefined)),
    );
    probe.once('error', () => resolve(undefined));
    probe.once('timeout', () => probe.destroy());
    probe.end();
  });

/** The part of an answer that matches: who the process is that answers. Undefined if none does. */
export const answersWith =
  (address: Address, path: string, pattern: RegExp) => async (): Promise<string | undefined> =>
    pattern.exec((await getText(address, path)) ?? '')?.[0];

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
  // Not by the calendar: a machine that boots sets its clock while its programs start.
  const end = performance.now() + options.deadlineMs;
  while (performance.now() < end && !options.signal.aborted) {
    if (await isTrue()) return true;
    await sleep(POLL_MS);
  }
  return false;
};
