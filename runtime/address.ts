// Where a service listens or dials: a Unix socket, or TCP. Internal ports carry tokens and every tenant's
// configuration, so a TCP address that is not loopback is refused here rather than warned about later.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { err, ok, type Result } from '#core/result.ts';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Longest path a Unix socket can have: sun_path is 108 bytes with its terminator (Linux), 104 on macOS. */
const MAX_SOCKET_PATH = 103;

const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback');

/** Parses `unix:/path` or `host:port`; the host must be loopback. The error is a sentence without the variable's name. */
export const parseInternalAddress = (text: string): Result<Address, string> => {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (!path.startsWith('/'))
      return err('a Unix socket needs an absolute path, as in unix:/run/mcpgw/x.sock');
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
      return err(`the socket path is longer than ${MAX_SOCKET_PATH} bytes`);
    return ok({ kind: 'unix', path });
  }
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65535)) return err('expected unix:/path or host:port');
  if (!isLoopback(host))
    return err('internal ports carry tokens: only a Unix socket or a loopback address is accepted');
  return ok({ kind: 'tcp', host, port });
};

/** As grpc-js dials and binds it. */
export const grpcTarget = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${hostInUrl(address.host)}:${address.port}`;

/** As `node:net` and `node:http` listen and connect. */
export const netOptions = (address: Address): { path: string } | { host: string; port: number } =>
  address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };

/** For people: the same text that `parseInternalAddress` takes. */
export const formatAddress = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${hostInUrl(address.host)}:${address.port}`;

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);
