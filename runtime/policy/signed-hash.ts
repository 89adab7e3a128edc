// What a signature of a bundle says of each of its files: a digest, for JSON of its members in order and not of its bytes
// (OPA, Bundles, "Signature Format"), as OPA's own writer puts them.

import { createHash } from 'node:crypto';
import { isJsonObject } from '#core/json.ts';

/** MD5 and SHA-1 would let two bundles share one signature; OPA writes SHA-256 unless told otherwise. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** A number as it was written: 1.50 is signed as 1.50. */
class Written {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Files whose JSON is signed. A `data.json` in a folder is one as well. */
const isStructured = (name: string): boolean =>
  ['data.json', '.manifest'].includes(name.split('/').at(-1) ?? '');

/** A string as Go's encoder writes it without escaping HTML: like ours, but for two line separators. */
const quote = (text: string): string =>
  JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const canonical = (value: unknown): string => {
  if (value instanceof Written) return value.text;
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).toSorted(byBytes);
  return `{${names.map((name) => `${quote(name)}:${canonical(value[name])}`).join(',')}}`;
};

type Context = { readonly source?: string };

const parseAsWritten = (text: string): unknown =>
  // The third argument is ECMAScript's, and TypeScript's library does not have it yet.
  (
    JSON.parse as (
      text: string,
      reviver: (key: string, value: unknown, context: Context) => unknown,
    ) => unknown
  )(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? new Written(source) : value,
  );

/**
 * The digest of a file, hex.
 * @returns undefined for an algorithm that is not accepted.
 * @throws SyntaxError for a structured file that is no JSON.
 */
export const signedHash = (name: string, content: Buffer, algorithm: string): string | undefined => {
  const known = ALGORITHMS[algorithm];
  if (known === undefined) return undefined;
  const signed = isStructured(name) ? canonical(parseAsWritten(content.toString('utf8'))) : content;
  return createHash(known).update(signed).digest('hex');
};
