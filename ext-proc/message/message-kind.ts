// What a message is, in the words that rules name messages by.

import { resultKindOf } from '#core/guard-in-force.ts';
import type { JsonObject } from '#core/json.ts';
import type { MessageKind } from '#core/response-guard.ts';
import { LIST_KINDS } from '#ext-proc/lists/cut-list.ts';
import { type AnswerMessage, resultOf } from '#ext-proc/message/answer-message.ts';

/** Requests and notifications of a server (MCP, client features and utilities). */
const METHODS: Readonly<Record<string, MessageKind>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'notifications/progress': 'progress',
  'notifications/message': 'log',
};

/** Members that hold what a result is there for (MCP, server features). */
const CONTENT_KEYS = ['content', 'structuredContent', 'messages', 'contents'];

/** True for a result that says something, whatever else is in it: clients read what they have asked for. */
export const holdsContent = (result: JsonObject): boolean =>
  CONTENT_KEYS.some((key) => Object.hasOwn(result, key));

/** A result that holds content is of the kind that was asked for, be there an empty list beside it or another `resultType`. */
const kindOfResult = (result: JsonObject, method: string | undefined): MessageKind => {
  if (holdsContent(result)) return resultKindOf(method);
  if (LIST_KINDS.some((kind) => Object.hasOwn(result, kind))) return 'list';
  return result['resultType'] === 'input_required' ? 'input-required' : resultKindOf(method);
};

/** @param method of the call that is answered; undefined where several may be. */
export const messageKindOf = (message: AnswerMessage, method: string | undefined): MessageKind => {
  const { value } = message;
  const result = resultOf(message);
  if (result !== undefined) return kindOfResult(result, method);
  if (Object.hasOwn(value, 'error')) return 'error';
  const asked = value['method'];
  return typeof asked === 'string' && Object.hasOwn(METHODS, asked)
    ? (METHODS[asked] as MessageKind)
    : 'other';
};
