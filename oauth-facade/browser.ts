// The browser a sign-in runs in, known by a random cookie: what was begun in one is not finished in another, which is how
// somebody is made to sign in as the attacker, or to hand the attacker his own code (RFC 9700 §4.7). Pure but for the id.

import { createHash } from 'node:crypto';

export type BrowserCookies = {
  readonly browser: string;
  readonly consents: string;
  /** What every `Set-Cookie` line ends in. */
  readonly attributes: string;
};

/** Longer than consents are remembered, which the browser's id must outlive. */
const LIFETIME_SECONDS = 180 * 24 * 3600;

const ID = /^[\w-]{43}$/;

/**
 * Names and attributes of the cookies. Over https nobody but this very host can set them (`__Host-`), no subdomain and no
 * plain page. Lax: they come with the way back from the provider, and with no form that another site sends.
 */
export const browserCookies = (publicUrl: string): BrowserCookies => {
  const isSecure = publicUrl.startsWith('https:');
  const prefix = isSecure ? '__Host-' : '';
  return {
    browser: `${prefix}mcpgw-browser`,
    consents: `${prefix}mcpgw-consents`,
    attributes: `; Path=/; Max-Age=${LIFETIME_SECONDS}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`,
  };
};

/** Value of a cookie; undefined where there is none, or two, of which one was put there by somebody else. */
export const readCookie = (header: string, name: string): string | undefined => {
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
};

/** The browser's id, if it has one that could be ours. */
export const readBrowser = (header: string, cookies: BrowserCookies): string | undefined => {
  const id = readCookie(header, cookies.browser);
  return id !== undefined && ID.test(id) ? id : undefined;
};

/** What is sealed of a browser's id: the id itself stays in its cookie. */
export const browserDigest = (id: string): string => createHash('sha256').update(id).digest('base64url');
