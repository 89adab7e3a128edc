// One JSON-RPC message of an answer. Any result that holds a list is cut, whatever its id: a server can put a list
// under another id, and a resumed stream repeats the answer to an earlier call. All else passes byte for byte.

import type { ListOrder } from '#core/guard-orders.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { McpListKind, ProtocolEra } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { parseStrictJson, RESPONSE_RULES } from '#core/strict-json.ts';
import { type AnswerFault, refused } from '#ext-proc/lists/answer-fault.ts';
import { judgeList, LIST_KINDS } from '#ext-proc/lists/cut-list.ts';
import {
  applyEdits,
  type Edit,
  elementSpans,
  memberSpans,
  rootSpan,
  type Span,
} from '#ext-proc/lists/json-spans.ts';
import { hasKeyVariant } from '#ext-proc/lists/key-variant.ts';

/** What was done to one list. */
export type CutList = { readonly kind: McpListKind; readonly kept: number; readonly dropped: number };

export type CutMessage = { readonly text: string; readonly lists: readonly CutList[] };

export type ListRules = { readonly orders: readonly ListOrder[]; readonly era: ProtocolEra };

type MessageRules = ListRules & {
  /**
   * True: anything but one JSON-RPC 2.0 message is a fault. False, for answers with an error status: any JSON object
   * that holds no list passes.
   */
  readonly strict: boolean;
};

const MESSAGE_KEYS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
const CACHE_SCOPE = 'cacheScope';
const RESULT_KEYS = [...LIST_KINDS, CACHE_SCOPE];
const PRIVATE = '"private"';

const has = (object: JsonObject, key: string): boolean => Object.hasOwn(object, key);

/** The text of a list without the elements that do not stay. */
const listText = (text: string, list: Span, stays: readonly boolean[]): string => {
  const kept = elementSpans(text, list).filter((_, index) => stays[index]);
  return `[${kept.map((span) => text.slice(span.start, span.end)).join(',')}]`;
};

// `public` lets a shared cache serve one caller's list to another (MCP 2026-07-28, caching). Absent in an older era
// means the client knows no such cache.
const cacheScopeEdit = (result: Span, members: ReadonlyMap<string, Span>, era: ProtocolEra): Edit[] => {
  const present = members.get(CACHE_SCOPE);
  if (present !== undefined) return [{ span: present, text: PRIVATE }];
  const start = result.start + 1;
  return era === 'stateless' ? [{ span: { start, end: start }, text: `"${CACHE_SCOPE}":${PRIVATE},` }] : [];
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

const rewrite = (text: string, judged: readonly JudgedList[], era: ProtocolEra): string => {
  const result = memberSpans(text, rootSpan(text)).get('result') as Span;
  const members = memberSpans(text, result);
  const cuts = judged
    .filter((list) => list.dropped > 0)
    .map((list): Edit => {
      const span = members.get(list.kind) as Span;
      return { span, text: listText(text, span, list.stays) };
    });
  return applyEdits(text, [...cuts, ...cacheScopeEdit(result, members, era)]);
};

/**
 * The lists of a message, judged. A message that could be read in two ways is a fault: a result beside a method or an
 * error, a key that some client folds into one we judge.
 */
const judgeMessage = (
  message: JsonObject,
  rules: MessageRules,
): Result<readonly JudgedList[], AnswerFault> => {
  if (hasKeyVariant(message, MESSAGE_KEYS)) return err(refused('key_variant'));
  if (!has(message, 'result')) return ok([]);
  const result = message['result'] as Json;
  if (!isJsonObject(result)) return rules.strict ? err(refused('message_shape')) : ok([]);
  if (has(message, 'error') || has(message, 'method')) return err(refused('message_shape'));
  return hasKeyVariant(result, RESULT_KEYS) ? err(refused('key_variant')) : judgeLists(result, rules);
};

const isJsonRpc = (message: JsonObject): boolean =>
  message['jsonrpc'] === '2.0' && ['method', 'result', 'error'].some((key) => has(message, key));

/**
 * Cuts the lists of one message to what its orders let show.
 * @param bytes one JSON text: a body, or the data of one server-sent event.
 * @returns the message, unchanged where it holds no list, or why it must not be passed.
 */
export const cutMessage = (bytes: Uint8Array, rules: MessageRules): Result<CutMessage, AnswerFault> => {
  const parsed = parseStrictJson(bytes, RESPONSE_RULES);
  if (!parsed.ok) return err(refused(parsed.error.reason));
  const message = parsed.value;
  if (!isJsonObject(message)) return err(refused('message_shape'));
  if (rules.strict && !isJsonRpc(message)) return err(refused('message_shape'));
  const judged = judgeMessage(message, rules);
  if (!judged.ok) return judged;
  const text = Buffer.from(bytes).toString('utf8');
  if (judged.value.length === 0) return ok({ text, lists: [] });
  const lists = judged.value.map(({ kind, kept, dropped }) => ({ kind, kept, dropped }));
  return ok({ text: rewrite(text, judged.value, rules.era), lists });
};
