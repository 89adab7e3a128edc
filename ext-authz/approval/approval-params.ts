// What of a call's parameters a person approves, and what else the gateway has to know of them: whether the client can
// show somebody a link, and whether it was asked to already.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { ASKING_METHODS } from '#core/sealed-request-state.ts';
import { CLIENT_CAPABILITIES_KEY } from '#ext-authz/request/era.ts';

/** The gateway's own input request (MCP 2026-07-28, multi round-trip requests); servers name theirs as they like. */
export const APPROVAL_INPUT = 'mcp-gateway-approval';

const objectAt = (value: Json | undefined, name: string): JsonObject | undefined => {
  const member = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(member) ? member : undefined;
};

const without = (value: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/**
 * The parameters an approval is bound to: all that the server gets, without `_meta` (progress tokens, traces, the
 * client's own state) and without the client's answer to the gateway. What a client answers to its server stays in:
 * it can change what the call does.
 */
export const approvedParams = ({ params }: McpCall): JsonObject => {
  if (!isJsonObject(params)) return {};
  const responses = objectAt(params, 'inputResponses');
  const own = without(params, ['_meta', ...(responses === undefined ? [] : ['inputResponses'])]);
  const others = responses === undefined ? {} : without(responses, [APPROVAL_INPUT]);
  return Object.keys(others).length === 0 ? own : { ...own, inputResponses: others };
};

/**
 * Whether the client can be asked to show somebody the link: it says so (`elicitation.url`), and has not done it in this
 * call. One that comes back before anybody has decided would otherwise be sent in circles.
 */
export const canShowLink = ({ era, method = '', params }: McpCall): boolean => {
  if (era !== 'stateless' || !ASKING_METHODS.includes(method)) return false;
  const capabilities = objectAt(objectAt(params, '_meta'), CLIENT_CAPABILITIES_KEY);
  const shown = objectAt(params, 'inputResponses')?.[APPROVAL_INPUT] !== undefined;
  return !shown && objectAt(objectAt(capabilities, 'elicitation'), 'url') !== undefined;
};
