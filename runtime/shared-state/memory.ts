// Shared state of a deployment that is one process: the embedded default. Bounded: values go by least recent use, leases
// never, because one that is forgotten early would be held twice. It knows no clock but the one it is given.

import { LRUCache } from 'lru-cache';
import { err, ok } from '#core/result.ts';
import type { SharedEntry, SharedState } from '#runtime/shared-state/shared-state.ts';

type MemoryLimits = {
  readonly maxValues: number;
  /** Of all keys, values and owners together. */
  readonly maxCharacters: number;
  readonly maxLeases: number;
};

/** A token of a hundred thousand users each; as many leases as two minutes of a busy deployment's proofs. */
const DEFAULT_LIMITS: MemoryLimits = {
  maxValues: 100_000,
  maxCharacters: 256 * 1024 * 1024,
  maxLeases: 200_000,
};

/** Below this number ended leases are left where they are. */
const MIN_SWEPT_LEASES = 1_000;
/** Shortest time between two looks at every lease: memory that is full of live ones must not cost a walk a call. */
const SWEEP_PAUSE_MS = 1_000;

type Value = { readonly text: string; readonly owner: string | undefined; readonly endMs: number };
type Lease = { readonly holder: string; readonly endMs: number };

/** Values, and who owns them. One whose time is over is not found; it lies there until its room is needed. */
const createValues = ({ maxValues, maxCharacters }: MemoryLimits) => {
  const keysByOwner = new Map<string, Set<string>>();
  const disown = ({ owner }: Value, key: string): void => {
    if (owner === undefined) return;
    const keys = keysByOwner.get(owner);
    keys?.delete(key);
    if (keys?.size === 0) keysByOwner.delete(owner);
  };
  const values = new LRUCache<string, Value>({
    max: maxValues,
    maxSize: maxCharacters,
    sizeCalculation: ({ text, owner }, key) => key.length + text.length + (owner?.length ?? 0) + 1,
    dispose: disown,
  });
  return {
    find: (key: string, nowMs: number): string | undefined => {
      const found = values.get(key);
      return found !== undefined && found.endMs > nowMs ? found.text : undefined;
    },
    keep: (key: string, { value, owner, lifetimeMs }: SharedEntry, nowMs: number): void => {
      values.set(key, { text: value, owner, endMs: nowMs + lifetimeMs });
      // What is larger than all there is was not kept.
      if (owner === undefined || !values.has(key)) return;
      keysByOwner.set(owner, (keysByOwner.get(owner) ?? new Set()).add(key));
    },
    remove: (key: string): void => void values.delete(key),
    removeOwned: (owner: string): void => {
      for (const key of [...(keysByOwner.get(owner) ?? [])]) values.delete(key);
    },
    clear: (): void => values.clear(),
  };
};

const createLeases = ({ maxLeases }: MemoryLimits) => {
  const leases = new Map<string, Lease>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  let sweepFrom = MIN_SWEPT_LEASES;

  const hasRoom = (nowMs: number): boolean => {
    if (leases.size >= Math.min(sweepFrom, maxLeases) && nowMs - sweptAtMs >= SWEEP_PAUSE_MS) {
      for (const [key, { endMs }] of leases) if (endMs <= nowMs) leases.delete(key);
      sweptAtMs = nowMs;
      sweepFrom = Math.max(MIN_SWEPT_LEASES, 2 * leases.size);
    }
    return leases.size < maxLeases;
  };
  return {
    /** Undefined: it is free, and there is no room to note who would hold it. */
    take: (key: string, lease: Lease, nowMs: number): boolean | undefined => {
      const held = leases.get(key);
      if (held !== undefined && held.endMs > nowMs) return false;
      if (held === undefined && !hasRoom(nowMs)) return undefined;
      leases.set(key, lease);
      return true;
    },
    giveBack: (key: string, holder: string): void => {
      if (leases.get(key)?.holder === holder) leases.delete(key);
    },
    clear: (): void => leases.clear(),
  };
};

/**
 * Empty shared state.
 *
 * Too many values: the least recently used go, which costs an exchange. Too many leases: `claim` answers `unavailable`
 * until some have ended; to forget one that is held would let a second holder in, or a used proof pass again.
 * @param nowMs milliseconds of a clock that is never set back.
 */
export const createMemoryState = (
  nowMs: () => number,
  limits: MemoryLimits = DEFAULT_LIMITS,
): SharedState => {
  const values = createValues(limits);
  const leases = createLeases(limits);
  let isOpen = true;
  const unavailable = err('unavailable' as const);
  const done = (work: () => void) => {
    if (!isOpen) return unavailable;
    work();
    return ok(true as const);
  };
  return {
    read: async (key) => (isOpen ? ok(values.find(key, nowMs())) : unavailable),
    write: async (key, entry) => done(() => values.keep(key, entry, nowMs())),
    remove: async (key) => done(() => values.remove(key)),
    removeOwned: async (owner) => done(() => values.removeOwned(owner)),
    claim: async (key, { holder, lifetimeMs }) => {
      const now = nowMs();
      const taken = isOpen ? leases.take(key, { holder, endMs: now + lifetimeMs }, now) : undefined;
      return taken === undefined ? unavailable : ok(taken);
    },
    release: async (key, holder) => done(() => leases.giveBack(key, holder)),
    stop: async () => {
      isOpen = false;
      values.clear();
      leases.clear();
    },
  };
};
