// What is known of a call's `requestState`: whether its answer may bring one, and whether the one it goes on from was given
// to this caller, for this call. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { responseGuardOf } from '#core/guard-in-force.ts';
import { isJsonObject, type Json } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import {
  ASKING_METHODS,
  openRequestState,
  REQUEST_STATE,
  type StatePlace,
} from '#core/sealed-request-state.ts';
import type { SessionOwner } from '#core/sealed-session.ts';
import type { SessionKeys } from '#core/session-key.ts';
import type { Place } from '#ext-authz/locate.ts';
import { CLIENT_CAPABILITIES_KEY } from '#ext-authz/request/era.ts';

/** Capabilities by which a client says what it can be asked for (MCP 2026-07-28, client capabilities). */
const ANSWERABLE = ['elicitation', 'sampling', 'roots'];

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** A server may ask a client only for what the client said it can answer. */
const canBeAsked = ({ params }: McpCall): boolean => {
  const capabilities = memberOf(memberOf(params, '_meta'), CLIENT_CAPABILITIES_KEY);
  return ANSWERABLE.some((name) => memberOf(capabilities, name) !== undefined);
};

const isSealed = ({ tenant, server }: Place, { era, method = '' }: McpCall): boolean =>
  era === 'stateless' &&
  ASKING_METHODS.includes(method) &&
  responseGuardOf(tenant, server).requestState === 'seal';

const stateOf = ({ params }: McpCall): Json | undefined => memberOf(params, REQUEST_STATE);

/** The name by which the state of a call is bound to what it reaches for; undefined: nothing is sealed in its answer. */
export const sealedStateTarget = (place: Place, call: McpCall): string | undefined => {
  if (!isSealed(place, call)) return undefined;
  return canBeAsked(call) || stateOf(call) !== undefined ? call.targets[0]?.name : undefined;
};

/**
 * Judges the state a call goes on from.
 * @returns true where there is one to be put back in the place of the sealed one; or request_state_unknown, whatever is
 * wrong with it: nobody learns by asking what a text that was found somewhere is worth.
 */
export const judgeRequestState = (
  place: Place,
  call: McpCall,
  rules: {
    readonly owner: SessionOwner;
    /** Keys that know a sealed text. */
    readonly keysFor: (sealed: string) => SessionKeys;
    readonly maxAgeSeconds: number;
    readonly nowSeconds: number;
  },
): Result<boolean, Deny> => {
  const state = stateOf(call);
  if (state === undefined || !isSealed(place, call)) return ok(false);
  const target = call.targets[0]?.name ?? '';
  const bound: StatePlace = { owner: rules.owner, method: call.method ?? '', target };
  const refuse = (fault: string): Result<never, Deny> =>
    err(deny('request_state_unknown', { public: { field: `params.${REQUEST_STATE}` }, log: { fault } }));
  if (typeof state !== 'string') return refuse('malformed');
  const opened = openRequestState(rules.keysFor(state), state, { ...rules, place: bound });
  return opened.ok ? ok(true) : refuse(opened.error);
};
