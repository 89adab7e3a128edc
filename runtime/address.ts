// Where a service listens or dials: a Unix socket, or TCP. Internal ports carry tokens and every tenant's
// configuration, so beyond this machine an address is of use only with the names of its peers, which mutual TLS proves.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { err, ok, type Result } from '#core/result.ts';
import type { SanPattern } from '#core/san-pattern.ts';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** Whose certificates are accepted at the other end, over mutual TLS; absent: no TLS, loopback only. */
      readonly peers?: readonly SanPattern[];
    };

/** Longest path a Unix socket can have: sun_path is 108 bytes with its terminator (Linux), 104 on macOS. */
const MAX_SOCKET_PATH = 103;

const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback');

/** Nobody beyond this machine can reach it, or be reached by it. */
export const isLocal = (address: Address): boolean => address.kind === 'unix' || isLoopback(address.host);

/** Parses `unix:/path` or `host:port`. The error is a sentence without the variable's name. */
export const parseAddress = (text: string): Result<Address, string> => {
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
  return ok({ kind: 'tcp', host, port });
};

/** As `parseAddress`, of this machine only. */
export const parseLocalAddress = (text: string): Result<Address, string> => {
  const parsed = parseAddress(text);
  return parsed.ok && !isLocal(parsed.value)
    ? err('only a Unix socket or a loopback address is accepted')
    : parsed;
};

/** As grpc-js dials and binds it. */
export const grpcTarget = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${hostInUrl(address.host)}:${address.port}`;

/** As `node:net` and `node:http` listen and connect. */
export const netOptions = (address: Address): { path: string } | { host: string; port: number } =>
  address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };

/** For people: the same text that `parseAddress` takes. */
export const formatAddress = (address: Address): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${hostInUrl(address.host)}:${address.port}`;

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);
