// Unix sockets are the internal network: only the owner may reach them (directory 0700, socket 0600). A socket is bound
// beside its place and moved into it whole, so that a successor leaves no moment in which nobody listens there.

import { chmod, lstat, mkdir, rename } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { Address } from '#runtime/address.ts';
import { isSuccessor } from '#runtime/drain-settings.ts';

/** True if a process answers on the socket. */
export const isSocketAlive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const OTHERS_MAY_WRITE = 0o022;

// The default directory lies in a place everybody may write to and has a name that can be guessed: whoever made it
// first could put sockets of his own in it, and be handed tokens.
const assertOwnDirectory = async (path: string): Promise<void> => {
  const { mode, uid } = await lstat(path);
  const isOurs = process.getuid === undefined || uid === process.getuid() || uid === 0;
  // A sticky directory (the system's temporary one) protects what is ours in it.
  const isSafe = (mode & OTHERS_MAY_WRITE) === 0 || (mode & 0o1000) !== 0;
  if (!isOurs || !isSafe) {
    throw new GatewayError(
      'config_invalid',
      `${path} belongs to or can be changed by another user; remove it or set MCPGW_RUNTIME_DIR to a directory of your own`,
    );
  }
};

const assertFree = async (path: string): Promise<void> => {
  if (isSuccessor() || !(await isSocketAlive(path))) return;
  throw new GatewayError(
    'config_invalid',
    `another process is listening on unix:${path}; stop it first, or set TAKE_OVER=true to take its place`,
  );
};

let bound = 0;

/** In the same directory, because only there it can be moved, and short, because paths of sockets are. */
const besideIt = (path: string): string => {
  bound += 1;
  return join(dirname(path), `.${process.pid.toString(36)}-${bound.toString(36)}`);
};

/**
 * Binds an address by `listen`, which is handed where to; for TCP that is the address itself. A Unix socket is its
 * owner's alone from the start, and takes the place of whatever lies there: what a killed process left, or, for a
 * successor, the socket of a living one, which keeps the connections it has. It stays when its process ends.
 * @throws GatewayError `config_invalid` if another process answers there, or another user could.
 */
export const bindAddress = async (
  address: Address,
  listen: (address: Address) => Promise<unknown>,
): Promise<void> => {
  if (address.kind !== 'unix') {
    await listen(address);
    return;
  }
  const directory = dirname(address.path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await assertOwnDirectory(directory);
  await assertFree(address.path);
  const path = besideIt(address.path);
  await listen({ kind: 'unix', path });
  await chmod(path, 0o600);
  await rename(path, address.path);
};
