// Does a gateway already live in this runtime directory? Two of them on one set of sockets would answer each other.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSocketAlive } from '#runtime/unix-socket.ts';

/** The sentence for a runtime directory in use, or undefined. */
export const findSocketFault = async (runtimeDirectory: string): Promise<string | undefined> => {
  const names = await readdir(runtimeDirectory).catch(() => []);
  const sockets = names.filter((name) => name.endsWith('.sock'));
  const alive = await Promise.all(sockets.map((name) => isSocketAlive(join(runtimeDirectory, name))));
  return alive.includes(true)
    ? `another gateway runs on the sockets in ${runtimeDirectory}; stop it first, or give this one its own MCPGW_RUNTIME_DIR and MCPGW_STATE_DIR`
    : undefined;
};
