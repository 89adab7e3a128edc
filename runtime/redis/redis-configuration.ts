// What the environment says of Redis. Variables that only make sense beside others say so; all faults come in one message.

import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { err, ok, type Result } from '#core/result.ts';
import { type Environment, integer, type Variable } from '#runtime/config.ts';
import { parseRedisUrl, type RedisTarget } from '#runtime/redis/redis-url.ts';

const GROUP_AND_OTHERS = 0o077;

const urlOf = (environment: Environment): RedisTarget | undefined => {
  const parsed = parseRedisUrl(environment['REDIS_URL'] ?? '');
  return parsed.ok ? parsed.value : undefined;
};

const readable = (path: string): Result<string, string> => {
  if (!isAbsolute(path)) return err('expected an absolute path');
  try {
    accessSync(path, constants.R_OK);
    return ok(path);
  } catch {
    return err('the file cannot be read');
  }
};

const secretFile = (path: string): Result<string, string> => {
  const found = readable(path);
  if (!found.ok) return found;
  return (statSync(path).mode & GROUP_AND_OTHERS) === 0
    ? found
    : err('the file must be readable by its owner only (0600)');
};

type FileTerms = {
  readonly read: (path: string) => Result<string, string>;
  /** Why it may not be given; undefined where it may. */
  readonly findClash: (environment: Environment) => string | undefined;
};

/** The path of a file that may be absent: then undefined. */
const optionalFile = (name: string, { read, findClash }: FileTerms): Variable<string | undefined> => ({
  name,
  fallback: '-',
  parse: (path, environment) => {
    if (path === '-') return ok(undefined);
    const clash = environment['REDIS_URL'] ? findClash(environment) : 'needs REDIS_URL';
    return clash === undefined ? read(path) : err(clash);
  },
});

const withTls = (environment: Environment): string | undefined =>
  urlOf(environment)?.tls === false ? 'needs TLS: REDIS_URL begins with rediss' : undefined;

const withTlsAnd =
  (other: string) =>
  (environment: Environment): string | undefined =>
    withTls(environment) ?? (environment[other] ? undefined : `needs ${other}`);

const prefix: Variable<string> = {
  name: 'REDIS_KEY_PREFIX',
  fallback: 'mcpgw:',
  // Braces would put every key of a Cluster into one slot.
  parse: (text) =>
    /^[\w.:-]{1,64}$/.test(text) ? ok(text) : err('expected 1 to 64 letters, digits and ._:-'),
};

/** For the shape of a service's configuration. */
export const REDIS_VARIABLES = {
  /** Where Redis is; undefined: there is none. */
  redis: {
    name: 'REDIS_URL',
    fallback: '-',
    parse: (text) => (text === '-' ? ok(undefined) : parseRedisUrl(text)),
  } as Variable<RedisTarget | undefined>,
  /** One line; instead of a password in the URL, and read again whenever a connection is made. */
  redisPasswordFile: optionalFile('REDIS_PASSWORD_FILE', {
    read: secretFile,
    findClash: (environment) =>
      urlOf(environment)?.password === undefined ? undefined : 'REDIS_URL has a password already',
  }),
  redisSentinelPasswordFile: optionalFile('REDIS_SENTINEL_PASSWORD_FILE', {
    read: secretFile,
    findClash: (environment) =>
      urlOf(environment)?.kind === 'sentinel' ? undefined : 'needs Sentinels in REDIS_URL',
  }),
  /** Who may sign the server's certificate; absent: the authorities Node knows. */
  redisCaFile: optionalFile('REDIS_CA_FILE', { read: readable, findClash: withTls }),
  redisCertificateFile: optionalFile('REDIS_CERTIFICATE_FILE', {
    read: readable,
    findClash: withTlsAnd('REDIS_KEY_FILE'),
  }),
  redisKeyFile: optionalFile('REDIS_KEY_FILE', {
    read: secretFile,
    findClash: withTlsAnd('REDIS_CERTIFICATE_FILE'),
  }),
  redisKeyPrefix: prefix,
  /** Longest wait for one answer, milliseconds. Redis is near; what takes longer is not worth a call's time. */
  redisTimeoutMs: integer(20, 10_000)('SHARED_STATE_TIMEOUT_MS', '75'),
};

export type RedisConfiguration = {
  readonly [Name in keyof typeof REDIS_VARIABLES]: (typeof REDIS_VARIABLES)[Name] extends Variable<infer T>
    ? T
    : never;
};
