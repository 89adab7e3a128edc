// The tokens in this process's own memory, in clear: bounded by number and by size, least recently used go first. It knows
// nobody to share them with.

import { LRUCache } from 'lru-cache';
import { createPurgeMarks } from '#ext-authz/token/purge-marks.ts';
import type { OwnedToken } from '#ext-authz/token/sealed-entry.ts';

/** A token of a hundred thousand people, and some who use two servers. */
const MAX_ENTRIES = 150_000;

/** Tokens have 1 to 12 KB, 2 as a rule. */
const MAX_BYTES = 256 * 1024 * 1024;

export type LocalToken = OwnedToken & {
  /** When it was last seen to be what others have, ms since the epoch. */
  readonly seenAtMs: number;
};

export type LocalTokens = {
  find(key: string): LocalToken | undefined;
  /** False: it is from before a purge of its owner, and was not taken in. */
  keep(key: string, token: LocalToken): boolean;
  remove(key: string): void;
  /** Drops an owner's tokens, and those to come that were exchanged before `markMs`, ms since the epoch. */
  purge(owner: string, markMs: number): void;
  isPurged(token: OwnedToken): boolean;
};

export type LocalLimits = { readonly maxEntries: number; readonly maxBytes: number };

const DEFAULT_LIMITS: LocalLimits = { maxEntries: MAX_ENTRIES, maxBytes: MAX_BYTES };

/** @param nowMs ms since the epoch. */
export const createLocalTokens = (
  nowMs: () => number,
  { maxEntries, maxBytes }: LocalLimits = DEFAULT_LIMITS,
): LocalTokens => {
  const keysByOwner = new Map<string, Set<string>>();
  const marks = createPurgeMarks(nowMs);
  const forget = (key: string, owner: string): void => {
    const keys = keysByOwner.get(owner);
    keys?.delete(key);
    if (keys?.size === 0) keysByOwner.delete(owner);
  };
  const tokens = new LRUCache<string, LocalToken>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ token }) => token.byteLength + 1,
    dispose: ({ owner }, key) => forget(key, owner),
  });
  return {
    find: (key) => tokens.get(key),
    keep: (key, token) => {
      if (marks.isPurged(token)) return false;
      tokens.set(key, { ...token, token: token.token.kept() });
      // What is larger than all there is was not kept.
      if (tokens.has(key)) keysByOwner.set(token.owner, (keysByOwner.get(token.owner) ?? new Set()).add(key));
      return true;
    },
    remove: (key) => void tokens.delete(key),
    purge: (owner, markMs) => {
      marks.note(owner, markMs);
      for (const key of [...(keysByOwner.get(owner) ?? [])]) tokens.delete(key);
    },
    isPurged: marks.isPurged,
  };
};
