// What shared state keeps in Cosmos DB: a document for each value and each lease, and when its time is over. The service
// tells time in whole seconds, so everything lives up to two seconds longer than asked, and never shorter.

import { createHash } from 'node:crypto';
import type { SharedEntry } from '#runtime/shared-state/shared-state.ts';

type Lived = {
  /** Also the partition key, so that everything asked for by key is in one partition. */
  readonly id: string;
  readonly lifetimeMs: number;
  /** Seconds after which the service takes it away, later than it is over: this is for tidiness alone. */
  readonly ttl: number;
};

export type ValueDocument = Lived & { readonly value: string; readonly owner?: string };

export type LeaseDocument = Lived & { readonly holder: string };

/** Seconds a document is still to be found when it is over: an ended lease is taken over by its ETag. */
const TIDY_AFTER_SECONDS = 60;

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

// An id may hold neither / nor \, ? or #, and 255 characters (1,023 bytes).
export const valueId = (key: string): string => `value-${digest(key)}`;
export const leaseId = (key: string): string => `lease-${digest(key)}`;
export const ownerId = digest;
export const holderId = digest;

const lived = (id: string, lifetimeMs: number): Lived => ({
  id,
  lifetimeMs,
  ttl: Math.ceil(lifetimeMs / 1_000) + TIDY_AFTER_SECONDS,
});

export const valueDocument = (key: string, { value, owner, lifetimeMs }: SharedEntry): ValueDocument => ({
  ...lived(valueId(key), lifetimeMs),
  value,
  ...(owner === undefined ? {} : { owner: ownerId(owner) }),
});

export const leaseDocument = (
  key: string,
  { holder, lifetimeMs }: { readonly holder: string; readonly lifetimeMs: number },
): LeaseDocument => ({ ...lived(leaseId(key), lifetimeMs), holder: holderId(holder) });

/**
 * Whether the time of a document is over, by the clock of the service alone: both the time it was written and the time of
 * the answer are cut to seconds there, so a second more has to have gone by.
 * @param document.writtenAt `_ts`, seconds since the epoch.
 * @param answeredAt the header `Date` of the answer; nothing is over where it is missing.
 */
export const isOver = (
  document: { readonly lifetimeMs: number; readonly writtenAt: number },
  answeredAt: string | undefined,
): boolean => Date.parse(answeredAt ?? '') >= (document.writtenAt + 1) * 1_000 + document.lifetimeMs;
