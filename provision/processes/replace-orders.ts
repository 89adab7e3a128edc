// How a running supervisor is told to replace a part: a file of the part's name in a directory only its owner may write to.
// It goes away when the part is replaced; where that failed, a second file says why.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '#provision/processes/fleet.ts';

const POLL_MS = 100;
const FAULT = '.fault';

/** Where orders for the supervisor of this runtime directory lie. */
export const ordersDirectory = (runtimeDirectory: string): string => join(runtimeDirectory, 'replace');

const carryOut = async (directory: string, name: string, fleet: Pick<Fleet, 'replace'>): Promise<void> => {
  try {
    await fleet.replace(name);
  } catch (thrown) {
    writeFileSync(
      join(directory, `${name}${FAULT}`),
      thrown instanceof Error ? thrown.message : String(thrown),
    );
  }
  rmSync(join(directory, name), { force: true });
};

/** Carries out orders for as long as the process lives, one after another; those from before it started are void. */
export const followOrders = (directory: string, fleet: Pick<Fleet, 'replace'>): void => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (const name of readdirSync(directory).filter((file) => !file.endsWith(FAULT)))
      await carryOut(directory, name, fleet);
    busy = false;
  };
  setInterval(() => void look().catch(() => undefined), POLL_MS).unref();
};

/**
 * Orders a part to be replaced and waits until it is.
 * @returns the fault, if it was not
 */
export const orderReplacement = async (directory: string, name: string): Promise<string | undefined> => {
  if (!existsSync(directory)) return `no gateway is running here: there is no ${directory}`;
  const order = join(directory, name);
  const fault = `${order}${FAULT}`;
  rmSync(fault, { force: true });
  writeFileSync(order, '');
  while (existsSync(order)) await sleep(POLL_MS);
  return existsSync(fault) ? readFileSync(fault, 'utf8') : undefined;
};
