// Whom a record is about beside the one who acted, sealed under that subject's own key: erasing the subject leaves the record,
// its number and its MAC. Knows no record.

import { randomBytes } from 'node:crypto';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { openText, sealText } from '#core/audit/seal.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import { ERASED, heldKeys, subjectOf } from '#registry/store/audit-subjects.ts';
import type { Database } from '#registry/store/tables.ts';

type SealedTarget = { readonly subject: string; readonly sealed: string };

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

const isSealedTarget = (value: Json | undefined): value is SealedTarget =>
  isJsonObject(value) && typeof value['subject'] === 'string' && typeof value['sealed'] === 'string';

/** Whom records are about, by the sequence of their commits; `erased` where the key is gone. */
export const openTargets = async (
  database: Database,
  keys: AuditKeys,
  bodies: readonly JsonObject[],
): Promise<ReadonlyMap<number, string>> => {
  const found = bodies.flatMap(({ sequence, target }) =>
    typeof sequence === 'number' && isSealedTarget(target) ? [{ sequence, target }] : [],
  );
  const held = await heldKeys(
    database,
    keys,
    found.map(({ target }) => target.subject),
  );
  return new Map(
    found.map(({ sequence, target: { subject, sealed } }) => {
      const key = held.get(subject);
      const text = key === undefined ? undefined : openText(key, sealed, placeOf(sequence, subject));
      return [sequence, text ?? ERASED];
    }),
  );
};
