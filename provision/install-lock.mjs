// One installation at a time per checkout: `npm start` and `npm test` side by side must not write one folder twice.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 250;

/** Polls after which a lock that nobody has signed counts as left behind. */
const UNSIGNED_POLLS = 8;

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** Process id of the holder; undefined while it has not written it yet, or where the lock is gone. */
const findHolder = (lock) => {
  try {
    return Number(readFileSync(join(lock, 'pid'), 'utf8')) || undefined;
  } catch {
    return undefined;
  }
};

const tryAcquire = (lock) => {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  return true;
};

/** Removes a lock left behind. Moved aside first and looked at again: another waiter may have just taken it over. */
const removeStale = (lock, deadHolder) => {
  const aside = `${lock}.stale-${process.pid}`;
  try {
    renameSync(lock, aside);
    if (findHolder(aside) === deadHolder) rmSync(aside, { recursive: true, force: true });
    else renameSync(aside, lock);
  } catch {
    // Somebody else was faster; the next poll sees what is true then.
  }
};

const waitForLock = async (lock, onWait) => {
  let told = false;
  let unsigned = 0;
  while (!tryAcquire(lock)) {
    const holder = findHolder(lock);
    unsigned = holder === undefined ? unsigned + 1 : 0;
    if (holder === undefined ? unsigned > UNSIGNED_POLLS : !isAlive(holder)) removeStale(lock, holder);
    else if (holder !== undefined && !told) {
      onWait(holder);
      told = true;
    }
    await sleep(POLL_MS);
  }
};

/**
 * Holds the lock while `work` runs. A lock whose holder is dead is taken over.
 * @template T
 * @param {string} lock path of the lock: a directory, because creating one is atomic everywhere
 * @param {() => Promise<T>} work
 * @param {(pid: number) => void} onWait called once if another process holds it
 * @returns {Promise<T>}
 */
export const withInstallLock = async (lock, work, onWait) => {
  mkdirSync(dirname(lock), { recursive: true });
  await waitForLock(lock, onWait);
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
};
