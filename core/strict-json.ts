// JSON that can be read in one way only. Two parsers that disagree about a document are how a call that policy
// allowed becomes another call at the server (duplicate keys, lone surrogates, numbers that round), so whatever
// leaves room for two readings is refused. Knows nothing of MCP.

import type { Json } from '#core/json.ts';
import type { Reason } from '#core/reason.ts';
import { err, ok, type Result } from '#core/result.ts';

export type JsonFault = {
  readonly reason: Extract<
    Reason,
    'body_not_utf8' | 'json_invalid' | 'json_duplicate_key' | 'json_ambiguous_key' | 'json_too_deep'
  >;
  /** The key at fault, cut short: the sender's own text. */
  readonly key?: string;
};

/** The fault in words, for whoever sent the document; the key is quoted, it is the sender's own text. */
export const describeJsonFault = ({ reason, key }: JsonFault): string => {
  if (key === undefined) return reason.replaceAll('_', ' ');
  const what = reason === 'json_duplicate_key' ? 'is repeated' : 'is not read alike by all parsers';
  return `key ${JSON.stringify(key)} ${what}`;
};

export type JsonRules = {
  /** Objects and arrays open at once. */
  readonly maxDepth: number;
  /**
   * True refuses an integer literal beyond ±(2^53 − 1): we would judge a rounded number and the server might read
   * the exact one. Numbers that overflow to infinity are refused either way.
   */
  readonly exactIntegers: boolean;
  /**
   * True refuses a key `__proto__` at any depth. A reader that copies members one by one sets the prototype with it,
   * and finds its members as if they stood beside it: arguments that nobody judged.
   */
  readonly plainKeys: boolean;
};

/** For what a client sends and policy judges. */
export const REQUEST_RULES: JsonRules = { maxDepth: 64, exactIntegers: true, plainKeys: true };

/** For what a server answers: numbers and most keys in it are its own affair. */
export const RESPONSE_RULES: JsonRules = { maxDepth: 64, exactIntegers: false, plainKeys: false };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?\d[\d.eE+-]*/y;
const INTEGER = /^-?\d+$/;
// A key is a name. NUL ends a string for parsers written in C, which then see another name than we do.
const CONTROL = /\p{Cc}/u;
const MAX_REPORTED_KEY = 64;
const PROTOTYPE = '__proto__';

const invalid: JsonFault = { reason: 'json_invalid' };

/** Index of the quote that closes the string opened at `open`, or the end of the text. */
const endOfString = (text: string, open: number): number => {
  for (let at = text.indexOf('"', open + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
};

const parseLiteral = (literal: string): string | undefined => {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
};

/** The string a literal stands for; undefined if it is none, or holds half a surrogate pair (RFC 8259 §8.2). */
const decodeString = (literal: string): string | undefined => {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  const decoded = parseLiteral(literal);
  return decoded?.isWellFormed() === true ? decoded : undefined;
};

const judgeKey = (literal: string, seen: Set<string>, rules: JsonRules): JsonFault | undefined => {
  const key = decodeString(literal);
  if (key === undefined || CONTROL.test(key)) return invalid;
  if (rules.plainKeys && key === PROTOTYPE) return { reason: 'json_ambiguous_key', key };
  if (seen.has(key)) return { reason: 'json_duplicate_key', key: key.slice(0, MAX_REPORTED_KEY) };
  seen.add(key);
  return undefined;
};

const judgeValue = (literal: string): JsonFault | undefined =>
  literal.includes('\\u') && decodeString(literal) === undefined ? invalid : undefined;

const judgeNumber = (literal: string, rules: JsonRules): JsonFault | undefined => {
  const value = Number(literal);
  if (!Number.isFinite(value)) return invalid;
  return rules.exactIntegers && INTEGER.test(literal) && !Number.isSafeInteger(value) ? invalid : undefined;
};

/** Where the scan stands: `open` holds the keys of each open object, null for an array. */
type Scan = { readonly text: string; readonly open: (Set<string> | null)[]; at: number; keyNext: boolean };

const scanString = (scan: Scan, rules: JsonRules): JsonFault | undefined => {
  const end = endOfString(scan.text, scan.at);
  const literal = scan.text.slice(scan.at, end + 1);
  const keys = scan.open.at(-1);
  scan.at = end;
  return scan.keyNext && keys ? judgeKey(literal, keys, rules) : judgeValue(literal);
};

const scanNumber = (scan: Scan, rules: JsonRules): JsonFault | undefined => {
  NUMBER.lastIndex = scan.at;
  const literal = NUMBER.exec(scan.text)?.[0];
  if (literal === undefined) return invalid;
  scan.at += literal.length - 1;
  return judgeNumber(literal, rules);
};

const scanOpening = (scan: Scan, keys: Set<string> | null, rules: JsonRules): JsonFault | undefined => {
  scan.open.push(keys);
  scan.keyNext = keys !== null;
  return scan.open.length > rules.maxDepth ? { reason: 'json_too_deep' } : undefined;
};

const scanToken = (scan: Scan, rules: JsonRules): JsonFault | undefined => {
  const code = scan.text.charCodeAt(scan.at);
  if (code === QUOTE) return scanString(scan, rules);
  if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return scanNumber(scan, rules);
  if (code === 0x7b) return scanOpening(scan, new Set(), rules);
  if (code === 0x5b) return scanOpening(scan, null, rules);
  if (code === 0x7d || code === 0x5d) scan.open.pop();
  else if (code === 0x2c) scan.keyNext = scan.open.at(-1) instanceof Set;
  else if (code === 0x3a) scan.keyNext = false;
  return undefined;
};

// Looks for what JSON.parse lets pass; grammar is left to JSON.parse. It runs first, so that a bomb of brackets is
// refused before anything is built from it, and must therefore end on any text, JSON or not.
const findFault = (text: string, rules: JsonRules): JsonFault | undefined => {
  const scan: Scan = { text, open: [], at: 0, keyNext: false };
  for (; scan.at < text.length; scan.at += 1) {
    const fault = scanToken(scan, rules);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    // ignoreBOM keeps the mark in the text, where JSON.parse refuses it (RFC 8259 §8.1).
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/**
 * Parses one JSON document (RFC 8259) that every conforming parser reads alike. Linear in the length of `bytes`.
 * The value is what JSON.parse makes: a key `__proto__` becomes an own property and changes no prototype; look up
 * keys that come from outside with `Object.hasOwn`.
 * @returns the value, or the first fault: invalid UTF-8, a byte-order mark, bytes after the document, a repeated key
 * at any depth (also when escaped), `__proto__` where the rules ask for plain keys, half a surrogate pair, a control character in a key, a number out of range,
 * nesting beyond `rules.maxDepth`.
 */
export const parseStrictJson = (bytes: Uint8Array, rules: JsonRules): Result<Json, JsonFault> => {
  const read = readStrictJson(bytes, rules);
  return read.ok ? ok(read.value.value) : read;
};

/** As `parseStrictJson`, with the text that was parsed. */
export const readStrictJson = (
  bytes: Uint8Array,
  rules: JsonRules,
): Result<{ readonly text: string; readonly value: Json }, JsonFault> => {
  const text = decodeUtf8(bytes);
  if (text === undefined) return err({ reason: 'body_not_utf8' });
  const fault = findFault(text, rules);
  if (fault !== undefined) return err(fault);
  try {
    return ok({ text, value: JSON.parse(text) as Json });
  } catch {
    return err(invalid);
  }
};
