// The lists in a message, cut. Any result that holds a list is, whatever its id: a server can put a list under another
// id, and a resumed stream repeats the answer to an earlier call. All else passes byte for byte.

import { GatewayError } from '#core/gateway-error.ts';
import type { Json, JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import type { McpListKind, ProtocolEra } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import { type JudgedEntries, judgeList, LIST_KINDS, type ListRules } from '#ext-proc/lists/cut-list.ts';
import { createCutMemory } from '#ext-proc/lists/cut-memory.ts';
import { type AnswerMessage, messageOf, resultOf } from '#ext-proc/message/answer-message.ts';
import { CACHE_SCOPE, PRIVATE } from '#ext-proc/message/cache-step.ts';
import { editJson } from '#ext-proc/message/edit-json.ts';
import {
  applyEdits,
  type Edit,
  endOfValue,
  type Span,
  startOfRoot,
  walkElements,
  walkMembers,
} from '#ext-proc/message/json-spans.ts';
import type { ComparedTool, EntryFate } from '#ext-proc/pins/judge-tool.ts';

/** What was done to one list. */
export type CutList = { readonly kind: McpListKind; readonly kept: number; readonly dropped: number };

export type CutMessage = {
  readonly message: AnswerMessage;
  readonly lists: readonly CutList[];
  /** Pinned tools in it, whoever may see them. */
  readonly tools: readonly ComparedTool[];
  /** Tools that are shown without some of their members. */
  readonly stripped: number;
};

const RESULT_KEYS = [...LIST_KINDS, CACHE_SCOPE];
const LIST_MEMBERS: ReadonlySet<string> = new Set(LIST_KINDS);

const has = (object: JsonObject, key: string): boolean => Object.hasOwn(object, key);

/** Where the parts of a result stand that may be edited, from its opening brace. */
type ResultPlaces = {
  /** Of the whole result. */
  length: number;
  cacheScope?: Span;
  readonly lists: Map<string, { readonly span: Span; readonly elements: readonly Span[] }>;
};

/** Just behind the opening brace of a result. */
const INSIDE = 1;

const findPlaces = (text: string, from: number): ResultPlaces => {
  const places: ResultPlaces = { length: 0, lists: new Map() };
  const spanOf = (start: number, end: number): Span => ({ start: start - from, end: end - from });
  const visitList = (kind: string, start: number): number => {
    const elements: Span[] = [];
    const end = walkElements(text, start, (element) => {
      const elementEnd = endOfValue(text, element);
      elements.push(spanOf(element, elementEnd));
      return elementEnd;
    });
    places.lists.set(kind, { span: spanOf(start, end), elements });
    return end;
  };
  const visitMember = (key: string, start: number): number => {
    if (LIST_MEMBERS.has(key)) return visitList(key, start);
    const end = endOfValue(text, start);
    if (key === CACHE_SCOPE) places.cacheScope = spanOf(start, end);
    return end;
  };
  places.length = walkMembers(text, from, visitMember) - from;
  return places;
};

// A result that was read from known bytes is the same object again, with the same text of its own (list-memory.ts).
const found = new WeakMap<JsonObject, ResultPlaces>();

const placesOf = (result: JsonObject, text: string, start: number): ResultPlaces => {
  const known = found.get(result) ?? findPlaces(text, start);
  found.set(result, known);
  return known;
};

// `public` lets a shared cache serve one caller's list to another (MCP 2026-07-28, caching). Absent in an older era
// means the client knows no such cache.
const cacheScopeEdit = ({ cacheScope }: ResultPlaces, era: ProtocolEra): Edit[] => {
  if (cacheScope !== undefined) return [{ span: cacheScope, text: `"${PRIVATE}"` }];
  const span = { start: INSIDE, end: INSIDE };
  return era === 'stateless' ? [{ span, text: `"${CACHE_SCOPE}":"${PRIVATE}",` }] : [];
};

type JudgedList = CutList & JudgedEntries;

const judgeLists = (result: JsonObject, rules: ListRules): Result<readonly JudgedList[], AnswerFault> => {
  const judged: JudgedList[] = [];
  for (const kind of LIST_KINDS) {
    if (!has(result, kind)) continue;
    const entries = judgeList(result[kind] as Json, kind, rules);
    if (!entries.ok) return entries;
    const { fates } = entries.value;
    const dropped = fates.filter((fate) => fate.kind === 'dropped').length;
    judged.push({ ...entries.value, kind, kept: fates.length - dropped, dropped });
  }
  return ok(judged);
};

/** An entry as it is shown; nothing where it is not. */
const showEntry = (served: string, fate: EntryFate): readonly string[] => {
  if (fate.kind === 'dropped') return [];
  if (fate.kind === 'kept') return [served];
  if (fate.kind === 'replaced') return [fate.text];
  return [
    editJson(
      served,
      fate.members.map((member) => ({ path: [member], value: undefined })),
    ),
  ];
};

const isUntouched = ({ fates }: JudgedList): boolean => fates.every(({ kind }) => kind === 'kept');

/** The edit that leaves of a list what is shown. */
const cutEdit = (text: string, places: ResultPlaces, list: JudgedList): Edit => {
  const place = places.lists.get(list.kind);
  // Two readings of one text must agree; if ever they do not, an uncut list must not be the outcome.
  if (place?.elements.length !== list.fates.length)
    throw new GatewayError('internal', 'list not found again');
  const elements = place.elements.flatMap(({ start, end }, index) =>
    showEntry(text.slice(start, end), list.fates[index] as EntryFate),
  );
  return { span: place.span, text: `[${elements.join(',')}]` };
};

/** The text of the result of a message, with its lists cut. */
const rewriteResult = (
  text: string,
  places: ResultPlaces,
  rules: { readonly judged: readonly JudgedList[]; readonly era: ProtocolEra },
): string | undefined => {
  const edits = [
    ...rules.judged.filter((list) => !isUntouched(list)).map((list) => cutEdit(text, places, list)),
    ...cacheScopeEdit(places, rules.era),
  ];
  return edits.length === 0 ? undefined : applyEdits(text, edits);
};

/** Where the result of a message stands in its text. */
const spanOfResult = (text: string, result: JsonObject): Span => {
  let span: Span | undefined;
  walkMembers(text, startOfRoot(text), (key, start) => {
    if (key !== 'result') return endOfValue(text, start);
    span = { start, end: start + placesOf(result, text, start).length };
    return span.end;
  });
  if (span === undefined) throw new GatewayError('internal', 'result not found again');
  return span;
};

/** What is made of a result. `text`: what it is then; undefined where it stays as it is. */
type CutResult = Omit<CutMessage, 'message'> & { readonly text: string | undefined };

const NO_LIST: CutResult = { text: undefined, lists: [], tools: [], stripped: 0 };

const cutResult = (
  { text }: AnswerMessage,
  result: JsonObject,
  rules: ListRules,
): Result<CutResult, AnswerFault> => {
  if (findKeyVariant(result, RESULT_KEYS) !== undefined) return err(refused('key_variant'));
  const judged = judgeLists(result, rules);
  if (!judged.ok) return judged;
  if (judged.value.length === 0) return ok(NO_LIST);
  const { start, end } = spanOfResult(text, result);
  const lists = { judged: judged.value, era: rules.era };
  return ok({
    text: rewriteResult(text.slice(start, end), placesOf(result, text, start), lists),
    lists: judged.value.map(({ kind, kept, dropped }) => ({ kind, kept, dropped })),
    tools: judged.value.flatMap(({ tools }) => tools),
    stripped: judged.value.flatMap(({ fates }) => fates).filter(({ kind }) => kind === 'stripped').length,
  });
};

const cuts = createCutMemory<CutResult>();

/**
 * Cuts the lists of one message to what its orders let show, and their tools to what was approved.
 * @returns the message, the same where it holds no list, or why it must not be passed.
 */
export const cutLists = (message: AnswerMessage, rules: ListRules): Result<CutMessage, AnswerFault> => {
  const result = resultOf(message);
  if (result === undefined) return ok({ ...NO_LIST, message });
  const known = cuts.recall(result, rules);
  const cut = known === undefined ? cutResult(message, result, rules) : ok(known);
  if (!cut.ok) return cut;
  // Other answers are never the same result again: to keep them would only be work for the garbage collector.
  if (known === undefined && cut.value !== NO_LIST) cuts.keep(result, rules, cut.value);
  const { text, lists, tools, stripped } = cut.value;
  const edits = text === undefined ? [] : [{ span: spanOfResult(message.text, result), text }];
  return ok({
    message: edits.length === 0 ? message : messageOf(applyEdits(message.text, edits)),
    lists,
    tools,
    stripped,
  });
};
