// Where Redis is, from one line of text: a server, the Sentinels that know it, or nodes of a Cluster. Pure; a fault never
// repeats the text, which may hold a password.

import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';

type RedisHost = { readonly host: string; readonly port: number };

export type RedisTarget = {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** The server, the Sentinels, or some nodes of the Cluster. */
  readonly hosts: readonly [RedisHost, ...RedisHost[]];
  /** Of the master, as the Sentinels call it; empty otherwise. */
  readonly masterName: string;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
};

const EXPECTED =
  'expected redis://host:6379/0, redis+sentinel://host:26379,host:26379/master or redis+cluster://host:6379,host:6379, each also with rediss for TLS';

/** Several hosts are no URL by RFC 3986, so `URL` would refuse them. */
const SHAPE = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/;
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?$/;
const MASTER = /^([A-Za-z0-9._-]{1,128})(?:\/(\d{1,4}))?$/;
const DATABASE = /^\d{0,4}$/;
const MAX_PORT = 65_535;
const DEFAULT_PORTS = { single: 6379, cluster: 6379, sentinel: 26_379 };

const hostFrom = (text: string, defaultPort: number): RedisHost | undefined => {
  const [, host, port] = HOST.exec(text) ?? [];
  if (host === undefined) return undefined;
  const number = port === undefined ? defaultPort : Number(port);
  return number > 0 && number <= MAX_PORT ? { host: host.replace(/^\[|\]$/g, ''), port: number } : undefined;
};

const decode = (text: string): string | undefined => {
  try {
    return text === '' ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** `user:password@`; RFC 3986 section 3.2.1, percent-encoded. A single part is a password, as Redis' own tools read it. */
const credentialsFrom = (text: string): Pick<RedisTarget, 'username' | 'password'> => {
  const colon = text.indexOf(':');
  const [user, password] = colon < 0 ? ['', text] : [text.slice(0, colon), text.slice(colon + 1)];
  const decoded = decode(password);
  return { username: decode(user), password: decoded === undefined ? undefined : new Secret(decoded) };
};

const pathFrom = (
  kind: RedisTarget['kind'],
  path: string,
): Pick<RedisTarget, 'masterName' | 'database'> | undefined => {
  if (kind === 'sentinel') {
    const [, masterName, database] = MASTER.exec(path) ?? [];
    return masterName === undefined ? undefined : { masterName, database: Number(database ?? 0) };
  }
  // A Cluster has one database.
  if (!DATABASE.test(path) || (kind === 'cluster' && Number(path) !== 0)) return undefined;
  return { masterName: '', database: Number(path) };
};

/** @param text of `REDIS_URL`. */
export const parseRedisUrl = (text: string): Result<RedisTarget, string> => {
  const [, scheme, topology, credentials = '', authority = '', path = ''] = SHAPE.exec(text) ?? [];
  if (scheme === undefined) return err(EXPECTED);
  const kind = (topology ?? 'single') as RedisTarget['kind'];
  const hosts = authority.split(',').map((host) => hostFrom(host, DEFAULT_PORTS[kind]));
  const [first, ...others] = hosts.filter((host) => host !== undefined);
  const place = pathFrom(kind, path);
  if (first === undefined || others.length + 1 !== hosts.length || place === undefined) return err(EXPECTED);
  if (kind === 'single' && others.length > 0) return err(EXPECTED);
  const tls = scheme === 'rediss';
  return ok({ kind, tls, hosts: [first, ...others], ...place, ...credentialsFrom(credentials) });
};
