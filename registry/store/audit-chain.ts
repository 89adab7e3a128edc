// The chain of change records as databases had it before audit-append.ts: a digest over each record and the digest before
// it, without a key. Nothing is added to it any more; the keyed chain binds its end.

import { createHash } from 'node:crypto';

export const CHAIN_START = '0'.repeat(64);

export type UnkeyedRecord = {
  readonly sequence: number;
  readonly tenantId: string;
  readonly actor: string;
  readonly action: string;
  readonly reason: string;
  readonly at: string;
  /** Digest of the record before; 64 zeros before the first. */
  readonly previous: string;
  readonly digest: string;
};

type Content = Omit<UnkeyedRecord, 'digest'>;

/** Digest of one record: a JSON array of its fields, so that no two records have one text. */
export const auditDigest = (record: Content): string => {
  const { previous, sequence, tenantId, actor, action, reason, at } = record;
  const text = JSON.stringify(['mcpgw-audit-1', previous, sequence, tenantId, actor, action, reason, at]);
  return createHash('sha256').update(text).digest('hex');
};

/**
 * Sequence of the first record that does not follow from the one before; records ascending by sequence.
 * @param start digest of the record before the first of them.
 */
export const findBrokenLink = (records: Iterable<UnkeyedRecord>, start = CHAIN_START): number | undefined => {
  let previous = start;
  for (const record of records) {
    if (record.previous !== previous || auditDigest(record) !== record.digest) return record.sequence;
    previous = record.digest;
  }
  return undefined;
};
