// Appending to the registry's audit chain, inside the transaction of what it tells of. The chain has a number of its own
// without gaps: refusals are in it too, and they are no commits.

import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { type CheckpointSigner, signCheckpoint } from '#core/audit/checkpoint.ts';
import { formatHead, readHead } from '#core/audit/head.ts';
import { appendRecord, type ChainEnd, chainStart } from '#core/audit/record.ts';
import { type AuditEvent, sealEvent } from '#core/audit/subject.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import { subjectOf } from '#registry/store/audit-subjects.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { RefusalRecord } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';

/** What the registry writes its audit with. */
export type AuditSecrets = { readonly keys: AuditKeys; readonly signer: CheckpointSigner };

export const HEAD_KEY = 'audit-head';

const CHAIN_RANDOM_BYTES = 8;

/**
 * The end a stored head names; undefined while there is no chain.
 * @throws GatewayError `config_invalid` if it is not ours: the chain could only be continued as another one.
 */
export const endOfHead = (keys: AuditKeys, head: string): ChainEnd | undefined => {
  if (head === '') return undefined;
  const end = readHead(keys, head);
  if (end === undefined)
    throw new GatewayError(
      'config_invalid',
      'AUDIT_KEY_FILE: holds no key the audit of this database was written with, or its head was changed',
    );
  return end;
};

/** Locks the chain to the end of the transaction; whoever appends next waits. */
const lockEnd = async (transaction: Database, keys: AuditKeys): Promise<ChainEnd | undefined> => {
  const { value } = await transaction
    .updateTable('meta')
    .set({ value: sql<string>`value` })
    .where('key', '=', HEAD_KEY)
    .returning('value')
    .executeTakeFirstOrThrow();
  return endOfHead(keys, value);
};

/** Last record of the chain without a key that was there before; undefined in a database that never had one. */
export const unkeyedEnd = (database: Database) =>
  database
    .selectFrom('audit')
    .select(['sequence', 'digest'])
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();

type Columns = { readonly tenant: string; readonly action: string; readonly sequence: number | null };

const NO_COLUMNS: Columns = { tenant: '', action: '', sequence: null };

const append = async (
  transaction: Database,
  { keys }: AuditSecrets,
  { end, event, columns }: { readonly end: ChainEnd; readonly event: AuditEvent; readonly columns: Columns },
): Promise<ChainEnd> => {
  const subject =
    event.about === undefined ? undefined : await subjectOf(transaction, keys, event.about.principal);
  const entry = sealEvent(event, end, { subject, nonce: randomBytes(NONCE_BYTES) });
  const appended = appendRecord(keys.current, end, entry);
  await transaction
    .insertInto('audit_records')
    .values({
      number: appended.end.sequence,
      ...columns,
      kind: event.kind,
      at: event.at,
      subject: subject?.pseudonym ?? null,
      line: appended.line,
    })
    .execute();
  return appended.end;
};

/** The first record: it binds the end of the chain without a key, so that that one cannot be cut or written anew. */
const openChain = async (transaction: Database, secrets: AuditSecrets, at: string): Promise<ChainEnd> => {
  const unkeyed = await unkeyedEnd(transaction);
  const event = { at, kind: 'open', body: { process: 'registry', unkeyed: unkeyed ?? null } } as const;
  const end = chainStart(`registry-${randomBytes(CHAIN_RANDOM_BYTES).toString('hex')}`);
  return append(transaction, secrets, { end, event, columns: NO_COLUMNS });
};

const appendEvent = async (
  transaction: Database,
  secrets: AuditSecrets,
  { event, columns }: { readonly event: AuditEvent; readonly columns: Columns },
): Promise<void> => {
  const locked = await lockEnd(transaction, secrets.keys);
  const end = await append(transaction, secrets, {
    end: locked ?? (await openChain(transaction, secrets, event.at)),
    event,
    columns,
  });
  await transaction
    .updateTable('meta')
    .set({ value: formatHead(secrets.keys.current, end).trimEnd() })
    .where('key', '=', HEAD_KEY)
    .execute();
};

/** Appends the record of a commit. */
export const appendAudit = (
  transaction: Database,
  secrets: AuditSecrets,
  entry: {
    readonly kind: 'change' | 'event';
    readonly sequence: number;
    readonly tenantId: string;
    readonly record: ChangeRecord;
    /** What else there is to say, nothing personal. */
    readonly facts?: JsonObject;
  },
): Promise<void> => {
  const { kind, sequence, tenantId, record, facts } = entry;
  const { actor, action, reason, at } = record;
  return appendEvent(transaction, secrets, {
    event: {
      at,
      kind,
      body: { tenant: tenantId, sequence, action, reason, ...facts },
      about: { principal: actor, fields: {} },
    },
    columns: { tenant: tenantId, action, sequence },
  });
};

/** Appends the record of writes that were refused. */
export const appendRefusal = (
  transaction: Database,
  secrets: AuditSecrets,
  refusal: RefusalRecord,
): Promise<void> => {
  const { actor, tenantId, action, at, status, code, count } = refusal;
  const about = actor === undefined ? {} : { about: { principal: actor, fields: {} } };
  return appendEvent(transaction, secrets, {
    event: { at, kind: 'refusal', body: { tenant: tenantId, action, status, code, count }, ...about },
    columns: { tenant: tenantId, action, sequence: null },
  });
};

/** Signs the end of the chain, if that has moved since it was signed last. */
export const signEnd = async (transaction: Database, secrets: AuditSecrets, at: string): Promise<void> => {
  const end = await lockEnd(transaction, secrets.keys);
  if (end === undefined) return;
  await transaction
    .insertInto('audit_checkpoints')
    .values({ number: end.sequence, jws: signCheckpoint(secrets.signer, { ...end, at }) })
    .onConflict((conflict) => conflict.column('number').doNothing())
    .execute();
};
