// From a judged URL to addresses that may be dialled. Every address of a name must be allowed, not just one: a name
// that points at both the internet and our own network is an attack or a mistake, and the dialler picks which.

import { promises as dns } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type EgressRules, judgeReach } from '#runtime/egress-url.ts';

/** All addresses of a host name. Rejects where there are none. */
export type HostLookup = (host: string) => Promise<readonly string[]>;

/** `refused`: by our rules. `unresolved`: the name service failed; asking again later may help. */
export type ResolveFault = { readonly kind: 'refused' | 'unresolved'; readonly message: string };

/** A resolver that is silent must not hold a call for its own half minute. */
const LOOKUP_TIMEOUT_MS = 5_000;

/** The system's resolver: /etc/hosts, search list and cache apply, as for every other program on the machine. */
export const systemLookup: HostLookup = async (host) =>
  (await dns.lookup(host, { all: true })).map((entry) => entry.address);

const withinTime = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('lookup timed out')), LOOKUP_TIMEOUT_MS);
  });
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
};

const lookupAll = async (host: string, lookup: HostLookup): Promise<readonly string[]> => {
  try {
    return await withinTime(lookup(host));
  } catch {
    return [];
  }
};

/**
 * Resolves a host and judges every answer.
 * @param host a name or an address, without brackets.
 * @returns all its addresses, or the first fault.
 */
export const resolveVetted = async (
  host: string,
  rules: EgressRules,
  lookup: HostLookup,
): Promise<Result<readonly string[], ResolveFault>> => {
  const addresses = isIP(host) === 0 ? await lookupAll(host, lookup) : [host];
  if (addresses.length === 0) return err({ kind: 'unresolved', message: 'the host could not be resolved' });
  for (const address of addresses) {
    const fault = judgeReach(address, rules);
    if (fault !== undefined) return err({ kind: 'refused', message: fault });
  }
  return ok(addresses);
};

const errorFromFault = (fault: ResolveFault): GatewayError =>
  new GatewayError(fault.kind === 'refused' ? 'egress_refused' : 'provider_failed', fault.message);

/**
 * A lookup for `net.connect` and `tls.connect` that yields vetted addresses or fails the connection.
 * Node does not call it for hosts that are addresses: those are judged with the URL.
 */
export const vettedLookup =
  (rules: EgressRules, lookup: HostLookup): LookupFunction =>
  (host, options, callback) => {
    const done = (addresses: readonly string[]): void => {
      const entries = addresses.map((address) => ({ address, family: isIP(address) }));
      if (options.all === true) callback(null, entries);
      else callback(null, entries[0]?.address ?? '', entries[0]?.family ?? 0);
    };
    const fail = (error: GatewayError): void => callback(error, []);
    resolveVetted(host, rules, lookup).then(
      (result) => (result.ok ? done(result.value) : fail(errorFromFault(result.error))),
      (thrown) => fail(GatewayError.from(thrown, 'provider_failed')),
    );
  };
