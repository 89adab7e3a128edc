// Variables of internal addresses that may lie on another machine. TLS is one decision for the whole process: once its
// certificate is configured, every TCP address speaks mutual TLS, loopback too, and no address is half safe.

import { err, ok, type Result } from '#core/result.ts';
import { parseSanPattern, type SanPattern } from '#core/san-pattern.ts';
import { type Address, isLocal, parseAddress } from '#runtime/address.ts';
import type { Environment, Variable } from '#runtime/config.ts';

/** Set together or not at all (internal-tls.ts). */
export const TLS_FILE_VARIABLES = [
  'INTERNAL_TLS_CERTIFICATE_FILE',
  'INTERNAL_TLS_KEY_FILE',
  'INTERNAL_TLS_CA_FILE',
] as const;

const isConfigured = (environment: Environment): boolean =>
  TLS_FILE_VARIABLES.some((name) => Boolean(environment[name]));

const parsePatterns = (variable: string, text: string): Result<readonly SanPattern[], string> => {
  const patterns: SanPattern[] = [];
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const pattern = parseSanPattern(item);
    if (!pattern.ok) return err(`${variable}: ${pattern.error}`);
    patterns.push(pattern.value);
  }
  return ok(patterns);
};

type Side = {
  /** In place of `_ADDRESS`. */
  readonly suffix: string;
  /** Names that are accepted where none are given. */
  readonly fallback: (host: string) => string;
  readonly missing: string;
};

const SERVED: Side = {
  suffix: '_ALLOWED_SANS',
  fallback: () => '',
  missing: 'is required with a TCP address: names of the certificates that may call, separated by commas',
};

const DIALLED: Side = {
  suffix: '_SERVER_SANS',
  fallback: (host) => host,
  missing: 'names of the certificate that must answer, separated by commas',
};

const withPeers = (
  name: string,
  side: Side,
  address: Address,
  environment: Environment,
): Result<Address, string> => {
  if (address.kind === 'unix') return ok(address);
  if (!isConfigured(environment)) {
    if (isLocal(address)) return ok(address);
    return err(
      `internal ports carry tokens: beyond a Unix socket or a loopback address set ${TLS_FILE_VARIABLES.join(', ')} for mutual TLS`,
    );
  }
  const variable = name.replace(/_ADDRESS$/, side.suffix);
  const peers = parsePatterns(variable, environment[variable] || side.fallback(address.host));
  if (!peers.ok) return peers;
  return peers.value.length === 0
    ? err(`${variable} ${side.missing}`)
    : ok({ ...address, peers: peers.value });
};

const tlsAddress =
  (side: Side) =>
  (name: `${string}_ADDRESS`, fallback: string): Variable<Address> => ({
    name,
    fallback,
    parse: (text, environment) => {
      const address = parseAddress(text);
      return address.ok ? withPeers(name, side, address.value, environment) : address;
    },
  });

/** Where a server listens; with TLS its `…_ALLOWED_SANS` say who may call. */
export const servedAddress = tlsAddress(SERVED);

/** Where a client dials; with TLS the server must be one of `…_SERVER_SANS`, by default the host of the address. */
export const dialledAddress = tlsAddress(DIALLED);
