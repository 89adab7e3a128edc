// The body of a call with its sealed `requestState` opened: what the server gets is what it gave. ext-authz has judged the
// state already; it is judged here once more, because what is sent on is what counts. Pure.

import type { GuardOrders } from '#core/guard-orders.ts';
import { isJsonObject, type Json } from '#core/json.ts';
import { openRequestState, REQUEST_STATE } from '#core/sealed-request-state.ts';
import type { SessionKeys } from '#core/session-key.ts';
import { parseStrictJson, REQUEST_RULES } from '#core/strict-json.ts';
import { editJson } from '#ext-proc/message/edit-json.ts';
import { ownerOf } from '#ext-proc/session/seal-answer.ts';

const paramsOf = (value: Json): Json | undefined => (isJsonObject(value) ? value['params'] : undefined);

/**
 * @param body the whole body, as ext-authz judged it.
 * @returns undefined where it holds no state that opens for this caller and call.
 */
export const openStateIn = (
  body: Uint8Array,
  orders: GuardOrders,
  keysFor: (sealed: string) => SessionKeys,
): Buffer | undefined => {
  const { method, stateTarget: target } = orders;
  const parsed = parseStrictJson(body, REQUEST_RULES);
  const params = parsed.ok ? paramsOf(parsed.value) : undefined;
  const sealed = isJsonObject(params) ? params[REQUEST_STATE] : undefined;
  if (typeof sealed !== 'string' || method === undefined || target === undefined) return undefined;
  const place = { owner: ownerOf(orders), method, target };
  // How old it may be was for ext-authz to say, a moment ago.
  const rules = { place, maxAgeSeconds: Infinity, nowSeconds: 0 };
  const opened = openRequestState(keysFor(sealed), sealed, rules);
  if (!opened.ok) return undefined;
  const text = Buffer.from(body).toString('utf8');
  return Buffer.from(editJson(text, [{ path: ['params', REQUEST_STATE], value: opened.value }]));
};
