// The chain of change records: each carries a digest over itself and the digest before it, so a record that was
// altered or taken out of the middle shows. Without a key it catches accidents and clumsy hands, no more than that.

import { createHash } from 'node:crypto';
import type { AuditRecord } from '#registry/store/store.ts';

export const CHAIN_START = '0'.repeat(64);

type Content = Omit<AuditRecord, 'digest'>;

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
export const findBrokenLink = (records: Iterable<AuditRecord>, start = CHAIN_START): number | undefined => {
  let previous = start;
  for (const record of records) {
    if (record.previous !== previous || auditDigest(record) !== record.digest) return record.sequence;
    previous = record.digest;
  }
  return undefined;
};
