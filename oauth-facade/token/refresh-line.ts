// Which refresh token of a sign-in is in turn. Clients are public, so nothing but use tells a thief from the owner (OAuth 2.1
// §4.3.1): a token can be used again until one that came of it is used, because answers get lost and windows ask at once;
// from then on it is dead, as are its other successors, and whoever shows a dead one ends the sign-in for both.

import { setTimeout as sleep } from 'node:timers/promises';
import { ok, type Result } from '#core/result.ts';
import type { FacadeParts } from '#oauth-facade/parts.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import { markKey, UNKNOWN } from '#oauth-facade/token/once.ts';

/** Longest time a sign-in is gone on with, and so the longest a line is kept. */
export const FAMILY_SECONDS = 90 * 24 * 3600;

/** Successors remembered of one token: more windows than anybody has. */
const MAX_CHILDREN = 20;

type LineParts = Pick<FacadeParts, 'state' | 'newId'>;

type Line = { readonly parent: string; readonly children: readonly string[] };

const DROPPED = 'dropped';

/** Longer than a line is read and written in; it counts only where a process dies in between, milliseconds. */
const LEASE_MS = 5_000;

/** Between two attempts to be the one, and the longest time of them, milliseconds. */
const LOOK_MS = 10;
const PATIENCE_MS = 2_000;

/**
 * One at a time of a family, among all processes: a line is read and then written, and of two that did so at once one would
 * be forgotten, with the token that it gave.
 */
const inOrder = async <T>(
  { state, newId }: LineParts,
  familyId: string,
  work: () => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> => {
  const [key, holder] = [markKey(`turn ${familyId}`), newId()];
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const claimed = await state.claim(key, { holder, lifetimeMs: LEASE_MS });
    if (!claimed.ok) break;
    if (claimed.value) return work().finally(() => state.release(key, holder));
    await sleep(LOOK_MS);
  }
  return refuse('temporarily_unavailable', UNKNOWN);
};

const write = (parts: LineParts, familyId: string, value: string) =>
  parts.state.write(markKey(`family ${familyId}`), { value, lifetimeMs: FAMILY_SECONDS * 1000 });

const writeDropped = async (parts: LineParts, familyId: string): Promise<Result<true, Refusal>> => {
  const written = await write(parts, familyId, DROPPED);
  return written.ok ? ok(true) : refuse('temporarily_unavailable', UNKNOWN);
};

/** Nothing of the family is refreshed any more. Where that cannot be noted, what asked for it is refused all the same. */
export const dropFamily = async (parts: LineParts, familyId: string): Promise<void> => {
  const dropped = await inOrder(parts, familyId, () => writeDropped(parts, familyId));
  if (!dropped.ok) await writeDropped(parts, familyId);
};

const isInTurn = (line: Line | undefined, handleId: string): boolean =>
  line === undefined || line.parent === handleId || line.children.includes(handleId);

type Turn = { readonly familyId: string; readonly handleId: string; readonly nextId: string };

const follow = async (
  parts: LineParts,
  { familyId, handleId, nextId }: Turn,
): Promise<Result<true, Refusal>> => {
  const found = await parts.state.read(markKey(`family ${familyId}`));
  if (!found.ok) return refuse('temporarily_unavailable', UNKNOWN);
  if (found.value === DROPPED)
    return refuse('invalid_grant', 'The sign-in was ended, because a code or refresh token was used twice.');
  const line = found.value === undefined ? undefined : (JSON.parse(found.value) as Line);
  if (!isInTurn(line, handleId)) {
    await writeDropped(parts, familyId);
    return refuse('invalid_grant', 'The refresh token was used before; the sign-in is ended.', {
      detail: 'replay',
    });
  }
  const known = line?.parent === handleId ? line.children : [];
  const next: Line = { parent: handleId, children: [...known, nextId].slice(-MAX_CHILDREN) };
  const written = await write(parts, familyId, JSON.stringify(next));
  return written.ok ? ok(true) : refuse('temporarily_unavailable', UNKNOWN);
};

/**
 * Puts the token in turn, and the one that will come of it behind it, before the provider is asked: two that ask at once then
 * know of each other. What nobody remembers, after a restart without shared state, is in turn.
 */
export const takeTurn = (parts: LineParts, turn: Turn): Promise<Result<true, Refusal>> =>
  inOrder(parts, turn.familyId, () => follow(parts, turn));
