// The keys of one JWKS address over time. An outage of the provider never takes away keys that are known, a flood of
// unknown key ids costs it one request per cool-down, and a first call waits for one fetch that all share.
// Fetching, clock and randomness come in as functions.

import type { TokenHint } from '#ext-authz/identity/jwt-parts.ts';
import { findKey, type KeyFinding, type KeySetDocument } from '#ext-authz/identity/key-set-document.ts';

export type StoredKeySet = {
  readonly document: KeySetDocument;
  /** When the provider last confirmed it, milliseconds since the epoch. */
  readonly fetchedAtMs: number;
};

export type KeySet = {
  /** Finds the key of a token; asks the provider again for an unknown `kid`, within the cool-down. */
  find(token: TokenHint): Promise<KeyFinding | { readonly kind: 'unavailable' }>;
  /** Fetches if a fetch is due; for the background clock. Never rejects. */
  refreshIfDue(): Promise<void>;
  /** What is known now, if anything. */
  current(): StoredKeySet | undefined;
};

export type KeySetOptions = {
  /** Asks the provider. A rejection keeps what is known. */
  readonly fetchDocument: () => Promise<KeySetDocument>;
  /** The copy of an earlier run, if there is one. */
  readonly loadStored: () => Promise<StoredKeySet | undefined>;
  /** Told of every success, to write the copy and the metric. */
  readonly onFetched: (stored: StoredKeySet) => Promise<void>;
  readonly nowMs: () => number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
};

/** Providers publish a key hours before they sign with it; Entra asks for about daily. */
const REFRESH_MS = 15 * 60_000;

/** After a success an unknown `kid` is unknown; only a rotation right now would say otherwise. */
const COOL_DOWN_MS = 30_000;

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;

// ±20 %, so that the processes of a fleet do not ask in step.
const jitter = (durationMs: number, random: () => number): number => durationMs * (0.8 + 0.4 * random());

type Schedule = {
  /** No fetch for an unknown `kid` before this. */
  notBeforeMs: number;
  /** The background fetches from here on. */
  dueAtMs: number;
  failures: number;
  /** When both were decided. */
  setAtMs: number;
};

/** Moments decided before the clock was set back would lie an hour ahead, and a rotation meanwhile would not be seen. */
const hasCome = (momentMs: number, { setAtMs }: Schedule, nowMs: number): boolean =>
  nowMs >= momentMs || nowMs < setAtMs;

const scheduleAfterSuccess = (schedule: Schedule, nowMs: number, random: () => number): void => {
  schedule.failures = 0;
  schedule.setAtMs = nowMs;
  schedule.notBeforeMs = nowMs + COOL_DOWN_MS;
  schedule.dueAtMs = nowMs + jitter(REFRESH_MS, random);
};

const scheduleAfterFailure = (schedule: Schedule, nowMs: number, random: () => number): void => {
  const pauseMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** schedule.failures);
  schedule.failures += 1;
  schedule.setAtMs = nowMs;
  schedule.notBeforeMs = nowMs + jitter(pauseMs, random);
  schedule.dueAtMs = schedule.notBeforeMs;
};

/** The key set of one address. Nothing is fetched until the first `find` or `refreshIfDue`. */
export const createKeySet = (options: KeySetOptions): KeySet => {
  const { nowMs, random } = options;
  const schedule: Schedule = { notBeforeMs: 0, dueAtMs: 0, failures: 0, setAtMs: 0 };
  let stored: StoredKeySet | undefined;
  let loading: Promise<void> | undefined;
  let fetching: Promise<void> | undefined;

  const fetchOnce = async (): Promise<void> => {
    try {
      const document = await options.fetchDocument();
      stored = { document, fetchedAtMs: nowMs() };
      scheduleAfterSuccess(schedule, nowMs(), random);
      await options.onFetched(stored);
    } catch {
      scheduleAfterFailure(schedule, nowMs(), random);
    } finally {
      fetching = undefined;
    }
  };
  const load = (): Promise<void> => {
    loading ??= options.loadStored().then((loaded) => {
      stored ??= loaded;
    });
    return loading;
  };
  const fetchFrom = async (momentMs: number): Promise<void> => {
    if (fetching === undefined && hasCome(momentMs, schedule, nowMs())) fetching = fetchOnce();
    await fetching;
  };

  const findIn = ({ document }: StoredKeySet, token: TokenHint): Promise<KeyFinding> =>
    findKey(document, token, Math.floor(nowMs() / 1_000));

  return {
    find: async (token) => {
      await load();
      if (stored !== undefined) {
        const found = await findIn(stored, token);
        if (found.kind !== 'unknown' || token.kid === undefined) return found;
      }
      await fetchFrom(schedule.notBeforeMs);
      return stored === undefined ? { kind: 'unavailable' } : findIn(stored, token);
    },
    refreshIfDue: async () => {
      await load();
      await fetchFrom(schedule.dueAtMs);
    },
    current: () => stored,
  };
};
