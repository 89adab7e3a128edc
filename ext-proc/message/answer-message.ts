// One JSON-RPC message of an answer on its way to the client: the server's text, and what it says. Steps change it by
// edits, so that every byte no rule is about stays as the server wrote it: numbers, escapes, the order of keys.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import { err, ok, type Result } from '#core/result.ts';
import { parseStrictJson, RESPONSE_RULES } from '#core/strict-json.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import { editJson, type JsonEdit } from '#ext-proc/message/edit-json.ts';

export type AnswerMessage = { readonly text: string; readonly value: JsonObject };

const MESSAGE_KEYS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];

const has = (object: JsonObject, key: string): boolean => Object.hasOwn(object, key);

const isJsonRpc = (message: JsonObject): boolean =>
  message['jsonrpc'] === '2.0' && ['method', 'result', 'error'].some((key) => has(message, key));

/** A message that could be read in two ways is a fault: a result beside a method or an error, a key that some client takes for another. */
const findFault = (message: JsonObject, strict: boolean): AnswerFault | undefined => {
  if (strict && !isJsonRpc(message)) return refused('message_shape');
  if (findKeyVariant(message, MESSAGE_KEYS) !== undefined) return refused('key_variant');
  if (!has(message, 'result')) return undefined;
  if (!isJsonObject(message['result'])) return strict ? refused('message_shape') : undefined;
  return has(message, 'error') || has(message, 'method') ? refused('message_shape') : undefined;
};

/**
 * Reads one message.
 * @param bytes one JSON text: a body, or the data of one server-sent event.
 * @param rules.strict false for answers with an error status: any JSON object is a message then.
 */
export const readAnswerMessage = (
  bytes: Uint8Array,
  { strict }: { readonly strict: boolean },
): Result<AnswerMessage, AnswerFault> => {
  const parsed = parseStrictJson(bytes, RESPONSE_RULES);
  if (!parsed.ok) return err(refused(parsed.error.reason));
  const { value } = parsed;
  if (!isJsonObject(value)) return err(refused('message_shape'));
  const fault = findFault(value, strict);
  return fault === undefined ? ok({ text: Buffer.from(bytes).toString('utf8'), value }) : err(fault);
};

/** The message with some values in it other than they were. */
export const editMessage = (message: AnswerMessage, edits: readonly JsonEdit[]): AnswerMessage => {
  if (edits.length === 0) return message;
  const text = editJson(message.text, edits);
  return { text, value: JSON.parse(text) as JsonObject };
};

/** The result of a message, where it is a JSON object. */
export const resultOf = ({ value }: AnswerMessage): JsonObject | undefined => {
  const result: Json | undefined = has(value, 'result') ? value['result'] : undefined;
  return isJsonObject(result) ? result : undefined;
};
