// A line of JSON that carries its own MAC as its last member. The bytes that were authenticated are the bytes that are
// kept: a line is judged as it stands and never written anew, so nobody has to agree on what canonical JSON is.

import { createHmac, type KeyObject } from 'node:crypto';

/** HMAC-SHA-256 in base64url: 32 bytes, 43 characters. */
const ENDING = /^(\{.*),"mac":"([A-Za-z0-9_-]{43})"\}$/s;

/** `domain` keeps a MAC made for one kind of line from being one for another. */
const macOf = (key: KeyObject, domain: string, text: string): string =>
  createHmac('sha256', key).update(`${domain}\n${text}`).digest('base64url');

export type AuthenticatedLine = { readonly line: string; readonly mac: string };

/** Closes a JSON object with the MAC over everything before it. `json` has at least one member. */
export const authenticateLine = (key: KeyObject, domain: string, json: string): AuthenticatedLine => {
  const text = json.slice(0, -1);
  const mac = macOf(key, domain, text);
  return { line: `${text},"mac":"${mac}"}`, mac };
};

/** True if the line ends in the MAC that the key makes over the rest of it. */
export const isAuthentic = (key: KeyObject, domain: string, line: string): boolean => {
  const [, text, mac] = ENDING.exec(line) ?? [];
  return text !== undefined && macOf(key, domain, text) === mac;
};
