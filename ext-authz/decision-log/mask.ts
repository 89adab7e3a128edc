// What of a policy's input is kept out of the decision log, as data: pointers to remove, as OPA's own masks do, and
// pointers whose values are replaced by pseudonyms wherever they stand, so that a grant to a person still matches that
// person when the record is judged again. Pure.

import { createHmac } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findByPointer, parsePointer } from '#ext-authz/policy/json-pointer.ts';

export type Mask = {
  readonly op: 'remove' | 'pseudonym';
  /** JSON Pointer into the event; begins with `/input/`. */
  readonly path: string;
};

/** What people wrote, where they were, and who they are. */
export const DEFAULT_MASKS: readonly Mask[] = [
  { op: 'remove', path: '/input/call/arguments' },
  { op: 'remove', path: '/input/call/values' },
  { op: 'remove', path: '/input/request/ip' },
  { op: 'remove', path: '/input/request/session' },
  { op: 'pseudonym', path: '/input/identity/subject' },
  { op: 'pseudonym', path: '/input/identity/oid' },
];

export type Masked = {
  readonly input: JsonObject;
  /** Pointers that were removed. */
  readonly erased: readonly string[];
  /** Pointers whose values were replaced. */
  readonly masked: readonly string[];
};

const tokensOf = ({ path }: Mask): readonly string[] => {
  const tokens = parsePointer(path);
  return tokens.ok ? tokens.value.slice(1) : [];
};

const without = (value: Json, tokens: readonly string[]): Json => {
  const [head, ...rest] = tokens;
  if (head === undefined || !isJsonObject(value) || !Object.hasOwn(value, head)) return value;
  const { [head]: member, ...others } = value;
  return rest.length === 0 || member === undefined ? others : { ...others, [head]: without(member, rest) };
};

const replaceStrings = (value: Json, names: ReadonlyMap<string, string>): Json => {
  if (typeof value === 'string') return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item: Json) => replaceStrings(item, names));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceStrings(item, names)]));
};

/** Sixteen digits: enough that two people are not one, whatever the size of the directory. */
const pseudonymOf = (value: string, key: Buffer): string =>
  `person-${createHmac('sha256', key).update(value).digest('hex').slice(0, 16)}`;

/**
 * The input without what the masks name.
 * @param key of the pseudonyms; whoever has it can try names.
 */
export const maskInput = (input: JsonObject, masks: readonly Mask[], key: Buffer): Masked => {
  const present = masks.filter((mask) => findByPointer(input, tokensOf(mask)) !== undefined);
  const removed = present.filter(({ op }) => op === 'remove');
  const replaced = present.filter(({ op }) => op === 'pseudonym');
  const kept = removed.reduce<Json>((rest, mask) => without(rest, tokensOf(mask)), input);
  const people = replaced.flatMap((mask) => {
    const value = findByPointer(input, tokensOf(mask));
    return typeof value === 'string' ? [[value, pseudonymOf(value, key)] as const] : [];
  });
  return {
    input: (people.length === 0 ? kept : replaceStrings(kept, new Map(people))) as JsonObject,
    erased: removed.map(({ path }) => path),
    masked: replaced.map(({ path }) => path),
  };
};

const readMask = (value: Json): Mask | undefined => {
  if (!isJsonObject(value)) return undefined;
  const { op, path } = value;
  if (op !== 'remove' && op !== 'pseudonym') return undefined;
  if (typeof path !== 'string' || !path.startsWith('/input/') || !parsePointer(path).ok) return undefined;
  return Object.keys(value).length === 2 ? { op, path } : undefined;
};

/** The masks in the text of a file; the error says which of them cannot be read. A mask that is not understood hides nothing. */
export const parseMasks = (text: string): Result<readonly Mask[], string> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err('is not JSON');
  }
  if (!Array.isArray(value)) return err('is not a list of masks');
  const masks = value.map((item: Json) => readMask(item));
  const wrong = masks.indexOf(undefined);
  if (wrong !== -1) return err(`mask ${wrong + 1} is not {"op": "remove" | "pseudonym", "path": "/input/…"}`);
  return ok(masks.filter((mask) => mask !== undefined));
};
