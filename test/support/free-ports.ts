// Ports nobody listens on, for programs that must be told theirs.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** `count` different free ports. Held all at once before any is released, so none is named twice. */
export const findFreePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map((server) => {
      server.close();
      return once(server, 'close');
    }),
  );
  return ports;
};
