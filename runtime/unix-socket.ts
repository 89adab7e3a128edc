// Unix sockets are the internal network: only the owner may reach them (directory 0700, socket 0600), and a socket
// left behind by a killed process is taken over, one that a living process holds is not.

import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { Address } from '#runtime/address.ts';

const isAlive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/**
 * Makes the address ready to bind: creates the directory and removes a dead socket. Nothing to do for TCP.
 * @throws GatewayError `config_invalid` if another process answers there.
 */
export const prepareSocket = async (address: Address): Promise<void> => {
  if (address.kind !== 'unix') return;
  await mkdir(dirname(address.path), { recursive: true, mode: 0o700 });
  if (await isAlive(address.path)) {
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
