// The keys of the audit. One secret of 32 bytes, and from it by HKDF (RFC 5869) a key for each use, so that none can be
// turned against another. A record names its key by an id that gives nothing away, so old keys verify old records.

import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

export const MASTER_KEY_BYTES = 32;

export type AuditKey = {
  /** 16 hex characters, derived like the keys. */
  readonly id: string;
  /** MACs of records. */
  readonly chain: KeyObject;
  /** MACs of heads: a head must not be a record, nor a record a head. */
  readonly head: KeyObject;
  /** Names of subjects. */
  readonly label: KeyObject;
  /** Wraps the keys of subjects. */
  readonly wrap: KeyObject;
  /** Not of the audit: secrets that every registry of a deployment must say alike (registry/signals/client-state.ts). */
  readonly shared: KeyObject;
};

export type AuditKeys = {
  /** Writes. */
  readonly current: AuditKey;
  /** Verify, the current one among them; oldest first. */
  readonly all: readonly AuditKey[];
};

const KEY_ID_BYTES = 8;
const PSEUDONYM_BYTES = 16;

const derive = (master: Uint8Array, use: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', master, new Uint8Array(0), `mcpgw-audit-1 ${use}`, bytes));

/** All keys of one master secret. */
export const deriveAuditKey = (master: Uint8Array): AuditKey => {
  const keyFor = (use: string) => createSecretKey(derive(master, use, MASTER_KEY_BYTES));
  return {
    id: derive(master, 'id', KEY_ID_BYTES).toString('hex'),
    chain: keyFor('chain'),
    head: keyFor('head'),
    label: keyFor('label'),
    wrap: keyFor('wrap'),
    shared: keyFor('shared secrets'),
  };
};

export const findAuditKey = (keys: AuditKeys, id: string): AuditKey | undefined =>
  keys.all.find((key) => key.id === id);

/**
 * What a subject is called where records lie in the open: 32 hex characters, the same for all records of one key. Hex,
 * because it is also the name of a file and some file systems know no case.
 */
export const pseudonymOf = (key: AuditKey, principal: string): string =>
  createHmac('sha256', key.label).update(principal).digest().subarray(0, PSEUDONYM_BYTES).toString('hex');
