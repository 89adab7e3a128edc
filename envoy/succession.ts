// How one Envoy takes the place of another on the same machine: by Envoy's hot restart the new one is handed the listening
// sockets themselves, so no connection is refused or lost, and the old one drains what it has and ends. Who is next is told
// by a file in the runtime directory.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Succession } from '#envoy/arguments.ts';
import { askAdmin } from '#envoy/ask-admin.ts';
import { noteEpoch, readEpoch } from '#runtime/envoy-epoch.ts';

const POLL_MS = 100;

/** Envoy multiplies it by ten and holds it in 31 bits. */
const BASE_IDS = 2 ** 27;

/** A socket's path has 103 bytes at most, and Envoy's longest name there is `/hot_udp_parent_1342177279`. */
const MAX_DIRECTORY_BYTES = 103 - 26;

/** Follows from the directory: its Envoys find each other, and Envoys of other directories have other shared memory. */
const baseIdOf = (runtimeDirectory: string): number =>
  createHash('sha256').update(runtimeDirectory).digest().readUInt32BE(0) % BASE_IDS;

/** Of the Envoy that answers on the admin port; undefined if none does. `live`: it has its configuration and listens. */
const whoIsThere = async (
  adminPort: number,
): Promise<{ readonly epoch: number; readonly live: boolean } | undefined> => {
  try {
    const info = await askAdmin(adminPort, '/server_info');
    const { state, command_line_options: options } = JSON.parse(info) as {
      readonly state?: string;
      readonly command_line_options?: { readonly restart_epoch?: number };
    };
    return { epoch: options?.restart_epoch ?? 0, live: state === 'LIVE' };
  } catch {
    return undefined;
  }
};

/** False where the directory's path is too long for the sockets of Envoys that follow each other. */
export const canBeSucceeded = (runtimeDirectory: string): boolean =>
  Buffer.byteLength(runtimeDirectory) <= MAX_DIRECTORY_BYTES;

/**
 * The place of the next Envoy of this runtime directory: behind the one that answers for a successor, else the first.
 */
export const nextInSuccession = async (
  { runtimeDirectory, adminPort }: { readonly runtimeDirectory: string; readonly adminPort: number },
  isSuccessor: boolean,
): Promise<Succession> => {
  const before = isSuccessor ? await whoIsThere(adminPort) : undefined;
  const epoch = before === undefined ? 0 : before.epoch + 1;
  // What an earlier line of Envoys left is about none of this one.
  if (epoch === 0) await noteEpoch(runtimeDirectory, epoch);
  return { baseId: baseIdOf(runtimeDirectory), socketPath: join(runtimeDirectory, 'hot'), epoch };
};

/** Waits until this Envoy listens and answers on the admin port, and notes that it is the one to ask from now on. */
export const takePlace = async (
  { runtimeDirectory, adminPort }: { readonly runtimeDirectory: string; readonly adminPort: number },
  { epoch }: Succession,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    const current = await whoIsThere(adminPort);
    if (current?.epoch === epoch && current.live) return noteEpoch(runtimeDirectory, epoch);
    await sleep(POLL_MS);
  }
};

/** True once another Envoy has taken the place of this one; the admin port is that one's then. */
export const isSucceeded = async (runtimeDirectory: string, { epoch }: Succession): Promise<boolean> =>
  Number(await readEpoch(runtimeDirectory)) > epoch;
