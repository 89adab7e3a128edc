// The redactions that concern one answer: those of the server's settings for the tool that was called, compiled once
// per settings, and the pointers that the policy ordered for this one call.

import { isForTool } from '#core/guard-in-force.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { type PointerTokens, parsePointer } from '#core/json-pointer.ts';
import type { Redaction, ResponseGuardInForce } from '#core/response-guard.ts';
import { compilePattern, type TextPattern } from '#ext-proc/transforms/text-pattern.ts';

type Told = { readonly name: string; readonly replacement: string };
export type PatternRule = Told & { readonly pattern: TextPattern };
export type PointerRule = Told & { readonly tokens: PointerTokens };

export type RedactionPlan = {
  readonly patterns: readonly PatternRule[];
  readonly pointers: readonly PointerRule[];
};

const REDACTED = '[redacted]';

/** What redactions that a policy orders are told as; no rule of a server has this name, which holds a colon. */
const POLICY = 'policy:redact';

type Compiled = { readonly rule: Redaction; readonly pattern?: PatternRule; readonly pointer?: PointerRule };

const compileRule = (rule: Redaction): Compiled => {
  const told = { name: rule.name, replacement: rule.replacement ?? REDACTED };
  const pattern = rule.pattern === undefined ? undefined : compilePattern(rule.pattern);
  const tokens = rule.pointer === undefined ? undefined : parsePointer(rule.pointer);
  return {
    rule,
    ...(pattern === undefined ? {} : { pattern: { ...told, pattern } }),
    ...(tokens === undefined ? {} : { pointer: { ...told, tokens } }),
  };
};

const known = new WeakMap<readonly Redaction[], readonly Compiled[]>();

const compiledRules = (rules: readonly Redaction[]): readonly Compiled[] => {
  const found = known.get(rules) ?? rules.map(compileRule);
  known.set(rules, found);
  return found;
};

/** A stream of the older era can repeat the answer to any earlier call, so every rule concerns it. */
const concerns = (rule: Redaction, { method, tool }: GuardOrders): boolean =>
  method === undefined || isForTool(rule, tool);

/** Undefined where a rule cannot be carried out: it was written for a later release, and nothing may pass without it. */
const orderedPointers = (pointers: readonly string[]): readonly PointerRule[] | undefined => {
  const parsed = pointers.map(parsePointer);
  if (!parsed.every((tokens) => tokens !== undefined)) return undefined;
  return parsed.map((tokens) => ({ name: POLICY, replacement: REDACTED, tokens }));
};

/** @returns undefined where one of the redactions cannot be read: the answer must not pass then. */
export const planRedaction = (
  guard: ResponseGuardInForce,
  orders: GuardOrders,
): RedactionPlan | undefined => {
  const rules = compiledRules(guard.redactions).filter(({ rule }) => concerns(rule, orders));
  const ordered = orderedPointers(orders.redact ?? []);
  const isWhole = rules.every(({ pattern, pointer }) => pattern !== undefined || pointer !== undefined);
  if (!isWhole || ordered === undefined) return undefined;
  return {
    patterns: rules.flatMap(({ pattern }) => pattern ?? []),
    pointers: [...rules.flatMap(({ pointer }) => pointer ?? []), ...ordered],
  };
};
