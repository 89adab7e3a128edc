// Where a client may be sent back to: https, or this machine. What could be read in two ways is no redirect URI, and of two
// that differ in one character one is not the other (RFC 6749 §3.1.2.3, RFC 9700 §4.1.3). Pure.

import { err, ok, type Result } from '#core/result.ts';

/** Longest redirect URI, characters. */
const MAX_LENGTH = 512;

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Whether only programs on the person's own machine can be reached there. */
export const isLoopback = (redirectUri: string): boolean => {
  const { protocol, hostname } = new URL(redirectUri);
  return protocol === 'http:' && LOOPBACK_HOSTS.has(hostname);
};

/** True for a host that is listed, or below a listed `*.name`. */
export const isListedHost = (hostname: string, listed: readonly string[] | undefined): boolean =>
  listed === undefined ||
  listed.some((entry) => (entry.startsWith('*.') ? hostname.endsWith(entry.slice(1)) : hostname === entry));

const isPlain = (text: string, url: URL): boolean =>
  (url.href === text || url.href === `${text}/`) && url.username === '' && url.password === '';

/**
 * Judges a redirect URI as it is registered.
 * @param clientHosts hosts it may have beside this machine; undefined: any.
 * @returns why not, as a sentence that repeats nothing of it.
 */
export const judgeRedirectUri = (
  text: string,
  clientHosts: readonly string[] | undefined,
): Result<true, string> => {
  if (text.length > MAX_LENGTH || !URL.canParse(text) || /[\s\\#<>"'`]/.test(text))
    return err('A redirect URI is no plain absolute URL without a fragment.');
  const url = new URL(text);
  if (!isPlain(text, url)) return err('A redirect URI is not written in its one plain form.');
  if (isLoopback(text)) return ok(true);
  if (url.protocol !== 'https:')
    return err('A redirect URI must be https, or http on 127.0.0.1, [::1] or localhost.');
  return isListedHost(url.hostname, clientHosts)
    ? ok(true)
    : err('The host of a redirect URI is not one of those that are let in here.');
};

const withoutPort = (text: string): string => {
  const url = new URL(text);
  url.port = '';
  return url.href;
};

/**
 * Whether a client that registered these may be sent to `given`: to the letter, but for the port of this machine, which a
 * native application gets when it runs (RFC 8252 §7.3).
 */
export const isRegisteredRedirect = (registered: readonly string[], given: string): boolean => {
  if (registered.includes(given)) return true;
  if (!judgeRedirectUri(given, []).ok || !isLoopback(given)) return false;
  return registered.some((uri) => isLoopback(uri) && withoutPort(uri) === withoutPort(given));
};
