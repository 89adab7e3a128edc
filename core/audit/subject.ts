// A record about a person: which fields are sealed under that person's key, and how they are opened again. Knows no
// place where keys are kept.

import type { KeyObject } from 'node:crypto';
import type { AuditEntry, AuditKind, AuditRecord, ChainEnd } from '#core/audit/record.ts';
import { openText, sealText } from '#core/audit/seal.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';

/** What happened, before it has a place in a chain. */
export type AuditEvent = {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly kind: AuditKind;
  /** Nothing personal: it stays readable for as long as the record is kept. */
  readonly body: JsonObject;
  /** Whom it is about, and what only that subject's key opens. */
  readonly about?: { readonly principal: string; readonly fields: JsonObject };
};

export type Subject = { readonly pseudonym: string; readonly key: KeyObject };

/**
 * The entry of an event at the place after `end`.
 * @param nonce 12 random bytes.
 */
export const sealEvent = (
  event: AuditEvent,
  end: ChainEnd,
  { subject, nonce }: { readonly subject: Subject | undefined; readonly nonce: Uint8Array },
): AuditEntry => {
  const { at, kind, body, about } = event;
  if (about === undefined || subject === undefined) return { at, kind, body };
  const { principal, fields } = about;
  const place = { chain: end.chain, sequence: end.sequence + 1, subject: subject.pseudonym };
  const text = JSON.stringify({ principal, ...fields });
  return { at, kind, body, subject: place.subject, sealed: sealText(subject.key, nonce, { text, place }) };
};

/** The sealed fields, `principal` among them; undefined once the subject was erased, or if there are none. */
export const openRecord = (record: AuditRecord, key: KeyObject | undefined): JsonObject | undefined => {
  const { chain, sequence, subject, sealed } = record;
  if (key === undefined || subject === undefined || sealed === undefined) return undefined;
  const text = openText(key, sealed, { chain, sequence, subject });
  const fields: unknown = text === undefined ? undefined : JSON.parse(text);
  return isJsonObject(fields) ? fields : undefined;
};
