// `requestState` as a client holds it (MCP 2026-07-28, multi round-trip requests). A server that asks for input gives its
// own state along and believes it when it comes back, so a state that was seen by somebody else, or on another tool, is a
// way in. What the client gets opens for the same caller and the same call alone, and hides what is inside.

import { err, ok, type Result } from '#core/result.ts';
import { ownerDigest, type SessionOwner } from '#core/sealed-session.ts';
import { openText, type SealFault, sealText } from '#core/sealed-text.ts';
import type { SealingKey, SealingKeys } from '#core/sealing-key.ts';

export const REQUEST_STATE = 'requestState';

/** Methods that may be answered `input_required` (same section). */
export const ASKING_METHODS: readonly string[] = ['tools/call', 'prompts/get', 'resources/read'];

/** What a state belongs to. */
export type StatePlace = {
  readonly owner: SessionOwner;
  readonly method: string;
  /** Name of the tool or prompt, URI of the resource. */
  readonly target: string;
};

export type StateFault = SealFault | 'foreign' | 'expired';

const FORMAT = Buffer.from('mcpgw-request-state-1');

/** Longest state of a server that is sealed, characters. It travels in a request body, whose longest is some MiB. */
const MAX_STATE_CHARACTERS = 256 * 1024;

const placeOf = ({ owner, method, target }: StatePlace): string =>
  JSON.stringify([ownerDigest(owner), method, target]);

/**
 * The state the client gets.
 * @param nonce 12 random bytes.
 * @param made.startedAt seconds since the epoch.
 * @returns undefined where the server's is too long.
 */
export const sealRequestState = (
  key: SealingKey,
  nonce: Uint8Array,
  made: { readonly state: string; readonly place: StatePlace; readonly startedAt: number },
): string | undefined => {
  if (made.state.length > MAX_STATE_CHARACTERS) return undefined;
  const bytes = Buffer.from(JSON.stringify([placeOf(made.place), made.startedAt, made.state]));
  return sealText(key, nonce, { bytes, bound: FORMAT });
};

/**
 * The server's own state.
 * @param rules.nowSeconds seconds since the epoch.
 */
export const openRequestState = (
  keys: SealingKeys,
  text: string,
  rules: { readonly place: StatePlace; readonly maxAgeSeconds: number; readonly nowSeconds: number },
): Result<string, StateFault> => {
  const opened = openText(keys, text, FORMAT);
  if (!opened.ok) return opened;
  // Authentic, so it has the shape `sealRequestState` gave it.
  const [place, startedAt, state] = JSON.parse(opened.value.toString('utf8')) as [string, number, string];
  if (place !== placeOf(rules.place)) return err('foreign');
  return rules.nowSeconds - startedAt > rules.maxAgeSeconds ? err('expired') : ok(state);
};
