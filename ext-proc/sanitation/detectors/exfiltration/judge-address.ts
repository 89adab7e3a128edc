// Whether an address may carry data out: its host is none of those that are allowed, it hides which host it leads to,
// or it is long and encoded in a way that names of pages are not.

import type { Address } from '#ext-proc/sanitation/detectors/exfiltration/find-addresses.ts';

const AUTHORITY = /^[/\\]*([^/\\?#]*)/;
const PLAIN_HOST = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const NUMBERED_HOST = /^(?:[\d.]+|0x.*|.*\.(?:\d+|0x[\da-f]*))$/;
const PORT = /:\d{0,5}$/;
/** A name in DNS is longer where data is put into it. */
const MAX_LABEL = 32;
const MAX_HOST = 100;
const MAX_AUTHORITY = 300;

export type Destination = {
  /** In lower case, without port and trailing dot. */
  readonly host: string;
  /** A user before the host, an address of numbers, letters of other scripts or escapes. */
  readonly isDisguised: boolean;
  /** Path, query and fragment. */
  readonly rest: string;
};

/** Where an address leads to. */
export const destinationOf = (text: string, { schemeEnd, end }: Address): Destination => {
  const behind = text.slice(schemeEnd, end);
  const [before = '', authority = ''] = AUTHORITY.exec(behind) ?? [];
  const rest = behind.slice(before.length);
  if (authority.length > MAX_AUTHORITY) return { host: '', isDisguised: true, rest };
  const at = authority.lastIndexOf('@');
  const host = authority
    .slice(at + 1)
    .replace(PORT, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const isNamed = PLAIN_HOST.test(host) && !NUMBERED_HOST.test(host) && !host.includes('xn--');
  const isOdd = !before.startsWith('//') || before.startsWith('///') || before.includes('\\');
  return { host, isDisguised: at !== -1 || !isNamed || isOdd, rest };
};

/** A host that is listed, or below one that is listed as `*.example.com`. */
export const isAllowedHost = (host: string, allowed: readonly string[]): boolean =>
  allowed.some((entry) => {
    const name = entry.toLowerCase();
    return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name;
  });

const MAX_QUERY = 200;
/** A commit is told by forty hexadecimal digits, a digest by sixty-four: both are names of pages. */
const LONG_RUN = /[A-Za-z0-9+_]{48}/;
const HEXADECIMAL = /(?<![\da-f])(?:[\da-f]{40}|[\da-f]{64})(?![\da-f])/g;
const LONG_QUERY_RUN = /[A-Za-z0-9+]{32}/;
const MAX_ESCAPES = 12;

const hasLongName = (host: string): boolean =>
  host.length > MAX_HOST || host.split('.').some((label) => label.length > MAX_LABEL);

/** True for an address that is long or encoded as only data is. */
export const carriesData = ({ host, rest }: Destination): boolean => {
  if (hasLongName(host)) return true;
  const mark = rest.search(/[?#]/);
  const [path, query] = mark === -1 ? [rest, ''] : [rest.slice(0, mark), rest.slice(mark + 1)];
  if (query.length > MAX_QUERY || LONG_QUERY_RUN.test(query)) return true;
  return rest.split('%').length > MAX_ESCAPES || LONG_RUN.test(path.replace(HEXADECIMAL, ''));
};
