// What a policy may order beside its allow, and the reading of it. An order nobody here would carry out must not be taken:
// a call allowed on condition that its answer is redacted is not allowed where nobody redacts.

import { isJsonObject, type Json } from '#core/json.ts';
import { parsePointer } from '#core/json-pointer.ts';
import { err, ok, type Result } from '#core/result.ts';

/** From the quietest: what an allowed call's line in the decision log is raised to. Never below `info`, where all lines are. */
export const ORDERED_LOG_LEVELS = ['warn', 'error'] as const;
export type OrderedLogLevel = (typeof ORDERED_LOG_LEVELS)[number];

export type Obligations = {
  /** Names of the rules that want a person to approve the call first; not empty. */
  readonly approval?: readonly string[];
  /** Level of the call's line in the decision log. */
  readonly logLevel?: OrderedLogLevel;
  /** JSON Pointers (core/json-pointer.ts) into the `structuredContent` of the answer, to be redacted; not empty. */
  readonly redact?: readonly string[];
  /** Longest answer that goes on, bytes. */
  readonly maxResponseBytes?: number;
};

const MAX_RULE_NAME = 256;

/** They travel with the call through Envoy's metadata, and each is looked for in every message of the answer. */
const MAX_POINTERS = 64;

const isStrings = (value: Json): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');

const readApproval = (value: Json): Obligations | undefined =>
  isStrings(value) && value.every((name) => name !== '' && name.length <= MAX_RULE_NAME)
    ? { approval: value }
    : undefined;

/** Rules may order different levels: the loudest counts. */
const readLogLevel = (value: Json): Obligations | undefined => {
  const levels: readonly string[] = ORDERED_LOG_LEVELS;
  if (!isStrings(value) || !value.every((level) => levels.includes(level))) return undefined;
  return { logLevel: value.includes('error') ? 'error' : 'warn' };
};

const readRedact = (value: Json): Obligations | undefined =>
  isStrings(value) &&
  value.length <= MAX_POINTERS &&
  value.every((pointer) => parsePointer(pointer) !== undefined)
    ? { redact: value }
    : undefined;

const isByteCounts = (value: Json): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => Number.isSafeInteger(item) && item > 0);

/** Rules may order different caps: the smallest counts. */
const readMaxResponseBytes = (value: Json): Obligations | undefined =>
  isByteCounts(value) ? { maxResponseBytes: Math.min(...value) } : undefined;

/** Every order there is. A list each, of what the policy's rules say. */
const READERS = {
  approval: readApproval,
  logLevel: readLogLevel,
  redact: readRedact,
  maxResponseBytes: readMaxResponseBytes,
} as const;

const readOrder = (name: string, value: Json): Result<Obligations, string> => {
  if (!Object.hasOwn(READERS, name)) return err('obligations holds an unknown order');
  const order = READERS[name as keyof typeof READERS](value);
  return order === undefined ? err(`obligations.${name} cannot be read`) : ok(order);
};

/** The error says what is wrong; the call is to be refused then. */
export const readObligations = (value: Json | undefined): Result<Obligations, string> => {
  if (!isJsonObject(value)) return err('obligations is not an object');
  let orders: Obligations = {};
  for (const [name, ordered] of Object.entries(value)) {
    const order = readOrder(name, ordered);
    if (!order.ok) return order;
    orders = { ...orders, ...order.value };
  }
  return ok(orders);
};

const union = (one: readonly string[] = [], other: readonly string[] = []): readonly string[] | undefined => {
  const all = [...new Set([...one, ...other])];
  return all.length === 0 ? undefined : all;
};

const smaller = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);

/** All that either orders. */
export const joinObligations = (one: Obligations, other: Obligations): Obligations => {
  const levels = [one.logLevel, other.logLevel];
  const logLevel = ORDERED_LOG_LEVELS.findLast((level) => levels.includes(level));
  // Every order has a member here, so that a new one does not compile before it is said how two become one.
  const joined: { readonly [Order in keyof Required<Obligations>]: Obligations[Order] | undefined } = {
    approval: union(one.approval, other.approval),
    logLevel,
    redact: union(one.redact, other.redact),
    maxResponseBytes: smaller(one.maxResponseBytes, other.maxResponseBytes),
  };
  const ordered = Object.entries(joined).filter(([, value]) => value !== undefined);
  return Object.fromEntries(ordered) as Obligations;
};
