// The name of this xds-server among others: the registry keeps one entry a name, so two that share one would hide each
// other, and a change would be called applied though one of them has not got it.

import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';
import type { Variable } from '#runtime/config.ts';

/** What the feed takes after the service's own name. */
const NAME = /^[A-Za-z0-9._-]{1,32}$/;

/** Longest part of a host's name that leaves room for the digest behind it. */
const MAX_HOST = 27;

/**
 * The same after a restart; another one for each machine, and for each state directory of one machine, which no two
 * processes share.
 */
export const defaultReplica = (host: string, stateDirectory: string): string => {
  const digest = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 4);
  const short = host.replace(/\..*$/, '').replaceAll(/[^A-Za-z0-9_-]/g, '-');
  return `${short.slice(0, MAX_HOST) || 'xds'}-${digest}`;
};

const parseReplica = (text: string): Result<string, string> =>
  text === '' || NAME.test(text)
    ? ok(text)
    : err('expected 1 to 32 letters, digits, dots, dashes or underscores');

/** Empty: it is named by `defaultReplica`. */
export const replicaVariable: Variable<string> = { name: 'XDS_REPLICA', fallback: '', parse: parseReplica };

/** The name on the feed. */
export const consumerName = (
  replica: string,
  { host, stateDirectory }: { readonly host: string; readonly stateDirectory: string },
): string => `xds-server/${replica === '' ? defaultReplica(host, stateDirectory) : replica}`;
