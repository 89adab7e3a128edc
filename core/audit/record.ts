// One record of an audit chain. It names its chain, its number and the MAC of the record before it, and its own MAC
// covers all of that: a record that was changed, moved or taken away shows.

import { type AuditKey, type AuditKeys, findAuditKey } from '#core/audit/audit-key.ts';
import { authenticateLine, isAuthentic } from '#core/audit/authenticated-line.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

/**
 * `open` and `close`: a chain's first record and, after a clean stop, its last. `outage`: decisions that were refused
 * because they could not be recorded. The others are what the chain is for.
 */
export type AuditKind = 'open' | 'close' | 'outage' | 'decision' | 'change' | 'refusal' | 'event';

export type AuditEntry = {
  readonly at: string;
  readonly kind: AuditKind;
  /** Nothing personal. */
  readonly body: JsonObject;
  /** Pseudonym of the person or application it is about, and the fields only their key opens. */
  readonly subject?: string;
  readonly sealed?: string;
};

/** Where the next record goes: after this one. */
export type ChainEnd = { readonly chain: string; readonly sequence: number; readonly mac: string };

export type AuditRecord = AuditEntry & ChainEnd & { readonly previous: string; readonly key: string };

const DOMAIN = 'mcpgw-audit-record-1';

/** The end of a chain that has no record yet. */
export const chainStart = (chain: string): ChainEnd => ({ chain, sequence: 0, mac: '' });

/** The record after `end`, as a line without its newline, and the end it makes. */
export const appendRecord = (
  key: AuditKey,
  end: ChainEnd,
  entry: AuditEntry,
): { readonly line: string; readonly end: ChainEnd } => {
  const { at, kind, body, subject, sealed } = entry;
  const sequence = end.sequence + 1;
  const { chain, mac: previous } = end;
  const json = JSON.stringify({ chain, sequence, previous, key: key.id, at, kind, body, subject, sealed });
  const { line, mac } = authenticateLine(key.chain, DOMAIN, json);
  return { line, end: { chain, sequence, mac } };
};

export type RecordFault = 'malformed' | 'key_unknown' | 'edited';

const parseLine = (line: string): AuditRecord | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    if (!isJsonObject(value)) return undefined;
    const { chain, sequence, previous, key, mac } = value;
    const isWhole =
      [chain, previous, key, mac].every((text) => typeof text === 'string') && Number.isSafeInteger(sequence);
    return isWhole ? (value as unknown as AuditRecord) : undefined;
  } catch {
    return undefined;
  }
};

/** Reads a line. What it says of itself may be believed only where the result is ok. */
export const readRecord = (keys: AuditKeys, line: string): Result<AuditRecord, RecordFault> => {
  const record = parseLine(line);
  if (record === undefined) return err('malformed');
  const key = findAuditKey(keys, record.key);
  if (key === undefined) return err('key_unknown');
  return isAuthentic(key.chain, DOMAIN, line) ? ok(record) : err('edited');
};
