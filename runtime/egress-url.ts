// Judges the text of a URL before anything is resolved: scheme, host, port, notation. Pure.
// A host must be written the one way every parser reads alike, so that what was judged here is what Envoy, undici
// and a reader of the audit log see too.

import { isIP } from 'node:net';
import { err, ok, type Result } from '#core/result.ts';
import { judgeAddress } from '#runtime/egress-address.ts';

export type EgressRules = {
  /** Plain http, loopback and private networks are reachable: demos and installations behind a firewall. */
  readonly allowPrivate: boolean;
  /** Hosts that may be reached: `api.example.com`, or `*.example.com` for every name below. Empty: any. */
  readonly allowedHosts: readonly string[];
};

/** Longest URL that is read at all, characters. */
const MAX_URL_LENGTH = 2048;

/** One label or more of letters, digits, hyphens and underscores; no trailing dot, no escape, no Unicode. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Answer with credentials of the machine we run on, whatever they resolve to today. */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
]);

/** Names that only mean something inside a machine, a cluster or a home network (RFC 6761, 6762, 8375; Docker, Kubernetes). */
const INTERNAL_SUFFIXES = ['localhost', 'local', 'internal', 'localdomain', 'lan', 'svc', 'home.arpa'];

const isInternalName = (host: string): boolean =>
  !host.includes('.') || INTERNAL_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));

const isListed = (host: string, allowedHosts: readonly string[]): boolean =>
  allowedHosts.some((entry) => {
    const pattern = entry.toLowerCase();
    return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
  });

/** Host of a parsed URL as DNS and sockets take it: IPv6 without its brackets. */
export const socketHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

/** Port a URL leads to. */
export const effectivePort = (url: URL): number =>
  url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);

// `0177.1`, `2130706433`, `①②⑦.0.0.1`, `%31`, `\` and tabs all become plain hosts in one parser and not in the next.
const hostAsWritten = (text: string): string | undefined =>
  /^https?:\/\/(\[[0-9a-f:.]+\]|[^/?#:@\\[\]%\s]+)(?::\d{1,5})?(?:[/?#]|$)/i.exec(text)?.[1]?.toLowerCase();

const judgeScheme = (url: URL, rules: EgressRules): string | undefined => {
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'the scheme must be https';
  return rules.allowPrivate ? undefined : 'the scheme must be https: plain http is not allowed here';
};

const judgePort = (port: number): string | undefined =>
  port === 80 || port === 443 || port >= 1024 ? undefined : 'the port must be 80, 443 or 1024 and above';

/** What is wrong with an address, given the rules; undefined if nothing is. */
export const judgeReach = (address: string, rules: EgressRules): string | undefined => {
  const kind = judgeAddress(address);
  if (kind === 'public' || (kind === 'internal' && rules.allowPrivate)) return undefined;
  return kind === 'internal'
    ? 'the address belongs to a private network'
    : 'the address is reserved, link-local or serves machine credentials';
};

const judgeName = (host: string, rules: EgressRules): string | undefined => {
  if (!HOST_NAME.test(host))
    return 'the host is not a plain name: no trailing dot, no escapes, IDN in its xn-- form';
  if (METADATA_NAMES.has(host)) return 'the host serves machine credentials';
  if (isInternalName(host) && !rules.allowPrivate) return 'the host is a name of a private network';
  return undefined;
};

const judgeHost = (host: string, rules: EgressRules): string | undefined => {
  if (rules.allowedHosts.length > 0 && !isListed(host, rules.allowedHosts))
    return "the host is not on the operator's list of allowed hosts";
  return isIP(host) === 0 ? judgeName(host, rules) : judgeReach(host, rules);
};

/**
 * Judges a URL as it stands.
 * @returns the parsed URL, or a sentence that names the fault and repeats nothing of the URL.
 */
export const judgeUrl = (text: string, rules: EgressRules): Result<URL, string> => {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) return err('not an absolute URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return err('the URL must not carry credentials');
  const scheme = judgeScheme(url, rules);
  if (scheme !== undefined) return err(scheme);
  if (hostAsWritten(text) !== url.hostname)
    return err('the host must be written plainly: no escapes, no Unicode, addresses in their usual form');
  const fault = judgePort(effectivePort(url)) ?? judgeHost(socketHost(url), rules);
  return fault === undefined ? ok(url) : err(fault);
};
