// Which refresh token of a sign-in is in turn. Clients are public, so nothing but use tells a thief from the owner (OAuth 2.1
// §4.3.1): a token can be used again until one that came of it is used, because answers get lost and windows ask at once;
// from then on it is dead, as are its other successors, and whoever shows a dead one ends the sign-in for both.

import { ok, type Result } from '#core/result.ts';
import type { FacadeParts } from '#oauth-facade/parts.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import { markKey, UNKNOWN } from '#oauth-facade/token/once.ts';

/** Longest time a sign-in is gone on with, and so the longest a line is kept. */
export const FAMILY_SECONDS = 90 * 24 * 3600;

/** Successors remembered of one token: more windows than anybody has. */
const MAX_CHILDREN = 20;

type Line = { readonly parent: string; readonly children: readonly string[] };

const DROPPED = 'dropped';

const write = (parts: FacadeParts, familyId: string, value: string) =>
  parts.state.write(markKey(`family ${familyId}`), { value, lifetimeMs: FAMILY_SECONDS * 1000 });

/** Nothing of the family is refreshed any more. Where that cannot be noted, what asked for it is refused all the same. */
export const dropFamily = async (parts: FacadeParts, familyId: string): Promise<void> => {
  await write(parts, familyId, DROPPED);
};

const isInTurn = (line: Line | undefined, handleId: string): boolean =>
  line === undefined || line.parent === handleId || line.children.includes(handleId);

/**
 * Puts the token in turn, and the one that will come of it behind it, before the provider is asked: two that ask at once then
 * know of each other. What nobody remembers, after a restart without shared state, is in turn.
 */
export const takeTurn = async (
  parts: FacadeParts,
  {
    familyId,
    handleId,
    nextId,
  }: { readonly familyId: string; readonly handleId: string; readonly nextId: string },
): Promise<Result<true, Refusal>> => {
  const found = await parts.state.read(markKey(`family ${familyId}`));
  if (!found.ok) return refuse('temporarily_unavailable', UNKNOWN);
  if (found.value === DROPPED)
    return refuse('invalid_grant', 'The sign-in was ended, because a code or refresh token was used twice.');
  const line = found.value === undefined ? undefined : (JSON.parse(found.value) as Line);
  if (!isInTurn(line, handleId)) {
    await dropFamily(parts, familyId);
    return refuse('invalid_grant', 'The refresh token was used before; the sign-in is ended.', {
      detail: 'replay',
    });
  }
  const known = line?.parent === handleId ? line.children : [];
  const next: Line = { parent: handleId, children: [...known, nextId].slice(-MAX_CHILDREN) };
  const written = await write(parts, familyId, JSON.stringify(next));
  return written.ok ? ok(true) : refuse('temporarily_unavailable', UNKNOWN);
};
