// The JSON-RPC 2.0 envelope of one message: exactly the members the specification knows, each of its one type.
// Knows no MCP method.

import { type Deny, deny, type RefusedId } from '#core/decision.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { JsonRpcId } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { parseStrictJson, REQUEST_RULES } from '#core/strict-json.ts';

export type JsonRpcMessage =
  | {
      readonly kind: 'request';
      readonly id: JsonRpcId;
      readonly method: string;
      readonly params: JsonObject;
    }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'response'; readonly id: JsonRpcId };

const MEMBERS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
const METHOD = /^[\x21-\x7e]{1,128}$/;
const MAX_ID_CHARACTERS = 256;

const invalid = (field: string): Result<never, Deny> =>
  err(deny('jsonrpc_invalid', { public: { field: field.slice(0, 64) } }));

/** A string of sane length or an exact integer. MCP forbids null, and a fraction does not survive every parser. */
const isId = (value: Json | undefined): value is JsonRpcId =>
  typeof value === 'number'
    ? Number.isSafeInteger(value)
    : typeof value === 'string' && value.length <= MAX_ID_CHARACTERS && !/\p{Cc}/u.test(value);

const parseResponse = (message: JsonObject): Result<JsonRpcMessage, Deny> => {
  const { id, result, error } = message as { id?: Json; result?: Json; error?: Json };
  if (!isId(id)) return invalid('id');
  if (message['params'] !== undefined) return invalid('params');
  if ((result === undefined) === (error === undefined)) return invalid('result');
  return isJsonObject(result ?? error)
    ? ok({ kind: 'response', id })
    : invalid(result === undefined ? 'error' : 'result');
};

const parseCall = (message: JsonObject, method: Json): Result<JsonRpcMessage, Deny> => {
  if (typeof method !== 'string' || !METHOD.test(method)) return invalid('method');
  if (message['result'] !== undefined) return invalid('result');
  if (message['error'] !== undefined) return invalid('error');
  const params = message['params'] ?? (Object.hasOwn(message, 'params') ? null : {});
  if (!isJsonObject(params)) return err(deny('params_invalid', { public: { field: 'params' } }));
  if (!Object.hasOwn(message, 'id')) return ok({ kind: 'notification', method, params });
  const id = message['id'];
  return isId(id) ? ok({ kind: 'request', id, method, params }) : invalid('id');
};

const parseMessage = (message: Json): Result<JsonRpcMessage, Deny> => {
  // Policy judges one call: an array would carry others past it. Legal in 2025-03-26 only, refused there too.
  if (Array.isArray(message)) return err(deny('batch_refused'));
  if (!isJsonObject(message)) return invalid('jsonrpc');
  const stray = Object.keys(message).find((key) => !MEMBERS.includes(key));
  if (stray !== undefined) return invalid(stray);
  if (message['jsonrpc'] !== '2.0') return invalid('jsonrpc');
  const method = message['method'];
  return method === undefined ? parseResponse(message) : parseCall(message, method);
};

// A client's response carries the server's id: an error under it would be taken for the answer to another request.
const isResponse = (message: JsonObject): boolean =>
  message['method'] === undefined && (message['result'] !== undefined || message['error'] !== undefined);

const idOf = (message: Json): RefusedId =>
  isJsonObject(message) && !isResponse(message) && isId(message['id']) ? message['id'] : null;

/**
 * @returns the message or the refusal (batch_refused, jsonrpc_invalid, params_invalid, or a fault of the JSON), and
 * the id a refusal answers, which is null where the JSON itself cannot be trusted.
 */
export const parseJsonRpc = (body: Uint8Array): { id: RefusedId; result: Result<JsonRpcMessage, Deny> } => {
  const json = parseStrictJson(body, REQUEST_RULES);
  if (json.ok) return { id: idOf(json.value), result: parseMessage(json.value) };
  const { reason, key } = json.error;
  return { id: null, result: err(deny(reason, key === undefined ? {} : { public: { field: key } })) };
};
