// What an IP address is to us: out on the internet, inside the operator's network, or nowhere a gateway may go.
// Knows no names and opens no connection. Only what is listed here is reachable; the rest of both spaces is not.

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `internal` is reached only where the operator allows it; `forbidden` never is. */
export type AddressKind = 'public' | 'internal' | 'forbidden';

/**
 * Addresses that hand credentials to whoever asks, outside the link-local range that is forbidden whole: AWS over IPv6
 * (instance, EKS pods), Google over IPv6, Scaleway, Alibaba, Oracle, and Azure's host agent, which sits in public space.
 */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(
  [
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fd00:42::42',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
  ].map((address) => ipaddr.parse(address).toNormalizedString()),
);

/** Ranges by the names ipaddr.js gives them (IANA special-purpose registries, RFC 6890). */
const INTERNAL_RANGES: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'carrierGradeNat',
  'uniqueLocal',
]);

/** The only IPv6 space that is assigned for the internet at large (RFC 4291 §2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

const isGlobal = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.range() === 'unicast' && (address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST));

/**
 * Judges one address in text form.
 *
 * Forms that carry an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) are forbidden whatever they
 * carry: no one needs them to name a service, and each is a second way to write an address that is refused.
 * @param text as DNS or a URL parser gives it; octal, hexadecimal and short forms are not addresses here.
 */
export const judgeAddress = (text: string): AddressKind => {
  if (isIP(text) === 0) return 'forbidden';
  const address = ipaddr.parse(text);
  if (METADATA_ADDRESSES.has(address.toNormalizedString())) return 'forbidden';
  if (isGlobal(address)) return 'public';
  return INTERNAL_RANGES.has(address.range()) ? 'internal' : 'forbidden';
};
