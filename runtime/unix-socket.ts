// Unix sockets are the internal network: only the owner may reach them (directory 0700, socket 0600), and a socket
// left behind by a killed process is taken over, one that a living process holds is not.

import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { Address } from '#runtime/address.ts';

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

/**
 * Makes the address ready to bind: creates the directory and removes a dead socket. Nothing to do for TCP.
 * @throws GatewayError `config_invalid` if another process answers there, or another user could.
 */
export const prepareSocket = async (address: Address): Promise<void> => {
  if (address.kind !== 'unix') return;
  const directory = dirname(address.path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await assertOwnDirectory(directory);
  if (await isSocketAlive(address.path)) {
    throw new GatewayError(
      'config_invalid',
      `another process is listening on unix:${address.path}; stop it first`,
    );
  }
  await rm(address.path, { force: true });
};

/** Narrows a bound socket to its owner. */
export const protectSocket = async (address: Address): Promise<void> => {
  if (address.kind === 'unix') await chmod(address.path, 0o600);
};
