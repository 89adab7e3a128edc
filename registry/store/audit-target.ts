// Whom a record is about beside the one who acted, sealed under that subject's own key: erasing the subject leaves the record,
// its number and its MAC. Knows no record.

import { randomBytes } from 'node:crypto';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { sealText } from '#core/audit/seal.ts';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import { subjectOf } from '#registry/store/audit-subjects.ts';
import type { Database } from '#registry/store/tables.ts';

export type SealedTarget = { readonly subject: string; readonly sealed: string };

const placeOf = (sequence: number, subject: string) => ({ chain: 'registry-target', sequence, subject });

/** @param target.sequence of the commit: sealed for this record, it opens in no other. */
export const sealTarget = async (
  transaction: Database,
  keys: AuditKeys,
  { text, sequence }: { readonly text: string; readonly sequence: number },
): Promise<SealedTarget> => {
  const { pseudonym: subject, key } = await subjectOf(transaction, keys, text);
  const place = placeOf(sequence, subject);
  return { subject, sealed: sealText(key, randomBytes(NONCE_BYTES), { text, place }) };
};
