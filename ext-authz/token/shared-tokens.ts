// The tokens that processes share: sealed, with marks of what was removed or purged, so that no process goes on with a
// copy of its own. It knows of no such copies.

import { ok, type Result } from '#core/result.ts';
import { isFromBefore } from '#ext-authz/token/purge-marks.ts';
import type { EntrySealer, OwnedToken } from '#ext-authz/token/sealed-entry.ts';
import type { SharedFault, SharedState } from '#runtime/shared-state/shared-state.ts';

/** As long as a process may have a copy that it has not looked after: the longest life a token has (28 hours with CAE). */
const MARK_MS = 30 * 3_600_000;

/** How far the clocks of two processes may be apart: a purge reaches that much further. */
const CLOCKS_APART_MS = 2_000;

/** No sealed text begins like this: its first character is of base64url. */
const REMOVED = '!';

/** `removedAtMs`: a token from before is gone, by somebody's word. */
export type SharedFinding =
  | { readonly kind: 'token'; readonly token: OwnedToken }
  | { readonly kind: 'removed'; readonly removedAtMs: number }
  | { readonly kind: 'none' };

export type SharedTokens = {
  find(key: string): Promise<Result<SharedFinding, SharedFault>>;
  /** When the owner was purged, ms since the epoch; 0: not that anybody knew. */
  purgedAtMs(owner: string): Promise<Result<number, SharedFault>>;
  /** Of a purge while it was under way it says so: then it is not there, and must be nowhere. */
  store(key: string, token: OwnedToken): Promise<'stored' | 'purged' | 'unavailable'>;
  remove(key: string): Promise<void>;
  /** @param markMs when, ms since the epoch. */
  purge(owner: string, markMs: number): Promise<Result<true, SharedFault>>;
};

const nameOf = (key: string): string => `token:${key}`;
const markOf = (owner: string): string => `purged:${owner}`;

const timeFrom = (text: string | undefined): number => {
  const time = Number(text);
  return Number.isFinite(time) && time > 0 ? time : 0;
};

export const createSharedTokens = (parts: {
  readonly state: SharedState;
  readonly sealer: EntrySealer;
  /** ms since the epoch. */
  readonly nowMs: () => number;
}): SharedTokens => {
  const { state, sealer, nowMs } = parts;

  const findingFrom = (key: string, text: string | undefined): SharedFinding => {
    if (text === undefined) return { kind: 'none' };
    if (text.startsWith(REMOVED)) return { kind: 'removed', removedAtMs: timeFrom(text.slice(1)) };
    const token = sealer.open(key, text);
    return token === undefined ? { kind: 'none' } : { kind: 'token', token };
  };
  const purgedAtMs: SharedTokens['purgedAtMs'] = async (owner) => {
    const text = await state.read(markOf(owner));
    return text.ok ? ok(timeFrom(text.value)) : text;
  };
  const mark = (name: string, value: string) => state.write(name, { value, lifetimeMs: MARK_MS });

  return {
    find: async (key) => {
      const text = await state.read(nameOf(key));
      return text.ok ? ok(findingFrom(key, text.value)) : text;
    },
    purgedAtMs,
    store: async (key, token) => {
      const lifetimeMs = token.expiresAt * 1_000 - nowMs();
      if (lifetimeMs <= 0) return 'stored';
      const value = sealer.seal(key, token);
      const written = await state.write(nameOf(key), { value, lifetimeMs, owner: token.owner });
      if (!written.ok) return 'unavailable';
      // Looked at afterwards: a purge writes its mark first and then removes, so one of the two meets the token.
      const purged = await purgedAtMs(token.owner);
      if (!purged.ok || !isFromBefore(token.notedAt, purged.value, nowMs())) return 'stored';
      await state.remove(nameOf(key));
      return 'purged';
    },
    remove: async (key) => void (await mark(nameOf(key), `${REMOVED}${nowMs()}`)),
    purge: async (owner, markMs) => {
      const marked = await mark(markOf(owner), String(markMs + CLOCKS_APART_MS));
      const removed = await state.removeOwned(owner);
      return marked.ok ? removed : marked;
    },
  };
};
