// One JSON-RPC message of an answer on its way to the client: the server's text, and what it says. Steps change it by
// edits, so that every byte no rule is about stays as the server wrote it: numbers, escapes, the order of keys.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import { err, ok, type Result } from '#core/result.ts';
import { RESPONSE_RULES, readStrictJson } from '#core/strict-json.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import { editJson, type JsonEdit } from '#ext-proc/message/edit-json.ts';

export type AnswerMessage = { readonly text: string; readonly value: JsonObject };

const MESSAGE_KEYS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];

const has = (object: JsonObject, key: string): boolean => Object.hasOwn(object, key);

const isJsonRpc = (message: JsonObject): boolean =>
  message['jsonrpc'] === '2.0' && ['method', 'result', 'error'].some((key) => has(message, key));

/** A message that could be read in two ways is a fault: two of result, error and method, a key that some client takes for another. */
const findFault = (message: JsonObject, strict: boolean): AnswerFault | undefined => {
  if (strict && !isJsonRpc(message)) return refused('message_shape');
  if (findKeyVariant(message, MESSAGE_KEYS) !== undefined) return refused('key_variant');
  if (strict && has(message, 'error') && has(message, 'method')) return refused('message_shape');
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
  const read = readStrictJson(bytes, RESPONSE_RULES);
  if (!read.ok) return err(refused(read.error.reason));
  const { text, value } = read.value;
  if (!isJsonObject(value)) return err(refused('message_shape'));
  const fault = findFault(value, strict);
  return fault === undefined ? ok({ text, value }) : err(fault);
};

/** The message of a text that was made from one that was read. It is parsed when a step asks what it says. */
export const messageOf = (text: string): AnswerMessage => {
  let value: JsonObject | undefined;
  return {
    text,
    get value() {
      value ??= JSON.parse(text) as JsonObject;
      return value;
    },
  };
};

/** The message with some values in it other than they were. */
export const editMessage = (message: AnswerMessage, edits: readonly JsonEdit[]): AnswerMessage => {
  return edits.length === 0 ? message : messageOf(editJson(message.text, edits));
};

/** The result of a message, where it is a JSON object. */
export const resultOf = ({ value }: AnswerMessage): JsonObject | undefined => {
  const result: Json | undefined = has(value, 'result') ? value['result'] : undefined;
  return isJsonObject(result) ? result : undefined;
};
