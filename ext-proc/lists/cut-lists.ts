// The lists in a message, cut. Any result that holds a list is, whatever its id: a server can put a list under another
// id, and a resumed stream repeats the answer to an earlier call. All else passes byte for byte.

import { GatewayError } from '#core/gateway-error.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import type { Json, JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import type { McpListKind, ProtocolEra } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import { judgeList, LIST_KINDS } from '#ext-proc/lists/cut-list.ts';
import { type AnswerMessage, resultOf } from '#ext-proc/message/answer-message.ts';
import { CACHE_SCOPE, PRIVATE } from '#ext-proc/message/cache-step.ts';
import {
  applyEdits,
  type Edit,
  endOfValue,
  type Span,
  startOfRoot,
  walkElements,
  walkMembers,
} from '#ext-proc/message/json-spans.ts';

/** What was done to one list. */
export type CutList = { readonly kind: McpListKind; readonly kept: number; readonly dropped: number };

export type CutMessage = { readonly message: AnswerMessage; readonly lists: readonly CutList[] };

export type ListRules = { readonly orders: readonly ListOrder[]; readonly era: ProtocolEra };

const RESULT_KEYS = [...LIST_KINDS, CACHE_SCOPE];
const LIST_MEMBERS: ReadonlySet<string> = new Set(LIST_KINDS);

const has = (object: JsonObject, key: string): boolean => Object.hasOwn(object, key);

/** Where the parts of a result stand that may be edited. */
type ResultPlaces = {
  /** Just behind the opening brace. */
  inside: number;
  cacheScope?: Span;
  readonly lists: Map<string, { readonly span: Span; readonly elements: readonly Span[] }>;
};

const findPlaces = (text: string): ResultPlaces => {
  const places: ResultPlaces = { inside: 0, lists: new Map() };
  const visitList = (kind: string, start: number): number => {
    const elements: Span[] = [];
    const end = walkElements(text, start, (element) => {
      const elementEnd = endOfValue(text, element);
      elements.push({ start: element, end: elementEnd });
      return elementEnd;
    });
    places.lists.set(kind, { span: { start, end }, elements });
    return end;
  };
  const visitMember = (key: string, start: number): number => {
    if (LIST_MEMBERS.has(key)) return visitList(key, start);
    const end = endOfValue(text, start);
    if (key === CACHE_SCOPE) places.cacheScope = { start, end };
    return end;
  };
  walkMembers(text, startOfRoot(text), (key, start) => {
    if (key !== 'result') return endOfValue(text, start);
    places.inside = start + 1;
    return walkMembers(text, start, visitMember);
  });
  return places;
};

// `public` lets a shared cache serve one caller's list to another (MCP 2026-07-28, caching). Absent in an older era
// means the client knows no such cache.
const cacheScopeEdit = ({ inside, cacheScope }: ResultPlaces, era: ProtocolEra): Edit[] => {
  if (cacheScope !== undefined) return [{ span: cacheScope, text: `"${PRIVATE}"` }];
  const span = { start: inside, end: inside };
  return era === 'stateless' ? [{ span, text: `"${CACHE_SCOPE}":"${PRIVATE}",` }] : [];
};

type JudgedList = CutList & { readonly stays: readonly boolean[] };

const judgeLists = (result: JsonObject, rules: ListRules): Result<readonly JudgedList[], AnswerFault> => {
  const judged: JudgedList[] = [];
  for (const kind of LIST_KINDS) {
    if (!has(result, kind)) continue;
    const stays = judgeList(result[kind] as Json, kind, rules.orders);
    if (!stays.ok) return stays;
    const kept = stays.value.filter(Boolean).length;
    judged.push({ kind, stays: stays.value, kept, dropped: stays.value.length - kept });
  }
  return ok(judged);
};

/** The edit that takes out of a list what does not stay. */
const cutEdit = (text: string, places: ResultPlaces, list: JudgedList): Edit => {
  const place = places.lists.get(list.kind);
  // Two readings of one text must agree; if ever they do not, an uncut list must not be the outcome.
  if (place?.elements.length !== list.stays.length)
    throw new GatewayError('internal', 'list not found again');
  const kept = place.elements.filter((_, index) => list.stays[index]);
  const elements = kept.map(({ start, end }) => text.slice(start, end));
  return { span: place.span, text: `[${elements.join(',')}]` };
};

const rewrite = (text: string, judged: readonly JudgedList[], era: ProtocolEra): string => {
  const places = findPlaces(text);
  const cuts = judged.filter((list) => list.dropped > 0).map((list) => cutEdit(text, places, list));
  return applyEdits(text, [...cuts, ...cacheScopeEdit(places, era)]);
};

/**
 * Cuts the lists of one message to what its orders let show.
 * @returns the message, the same where it holds no list, or why it must not be passed.
 */
export const cutLists = (message: AnswerMessage, rules: ListRules): Result<CutMessage, AnswerFault> => {
  const result = resultOf(message);
  if (result === undefined) return ok({ message, lists: [] });
  if (findKeyVariant(result, RESULT_KEYS) !== undefined) return err(refused('key_variant'));
  const judged = judgeLists(result, rules);
  if (!judged.ok) return judged;
  if (judged.value.length === 0) return ok({ message, lists: [] });
  const lists = judged.value.map(({ kind, kept, dropped }) => ({ kind, kept, dropped }));
  const text = rewrite(message.text, judged.value, rules.era);
  return ok({ message: { text, value: JSON.parse(text) as JsonObject }, lists });
};
