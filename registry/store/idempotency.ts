// Keys of requests that may be sent again (Idempotency-Key): who has one, whether the request was done, what it was
// answered. That it was done is written in the commit of what it did, so neither can be without the other.

import type { KeptAnswer, KeyedRequest, KeyReservation, KeyState } from '#registry/store/keyed-request.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** How long a key is remembered, milliseconds. */
const KEY_LIFE_MS = 24 * 3_600_000;
/**
 * How long an attempt has the key to itself, milliseconds: twice what a request may take. Later it is taken for dead;
 * should it still be alive, its commit fails, because the key is no longer its own.
 */
const ATTEMPT_MS = 60_000;
/** Keys of a tenant at once: a retry within a day, not a journal. */
const MAX_KEYS = 10_000;

type KeyRow = Tables['idempotency_keys'];

/** The attempt no longer holds the key of its request. What it has written is to be undone. */
export class LostKey extends Error {}

const answerOf = ({ status, headers, body }: KeyRow): KeptAnswer | undefined =>
  status === null
    ? undefined
    : { status, headers: JSON.parse(headers ?? '{}') as Record<string, string>, body: body ?? '' };

const isOver = (row: KeyRow, nowMs: number): boolean => row.since + ATTEMPT_MS < nowMs;

const stateOf = (row: KeyRow, nowMs: number): KeyState | 'abandoned' => {
  const answer = answerOf(row);
  if (answer !== undefined) return { kind: 'answered', answer };
  if (!isOver(row, nowMs)) return { kind: 'running' };
  return row.sequence === null ? 'abandoned' : { kind: 'unanswered', sequence: row.sequence };
};

const isFull = async (database: Database, tenantId: string): Promise<boolean> => {
  const { count } = await database
    .selectFrom('idempotency_keys')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('tenant', '=', tenantId)
    .executeTakeFirstOrThrow();
  return Number(count) >= MAX_KEYS;
};

const insertKey = async (
  database: Database,
  { scope, owner, tenantId, fingerprint }: KeyReservation,
  nowMs: number,
): Promise<boolean> => {
  const inserted = await database
    .insertInto('idempotency_keys')
    .values({ scope, tenant: tenantId, fingerprint, owner, since: nowMs })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
};

/** Takes over from an attempt that died before it did anything; false if somebody else was faster. */
const takeOver = async (
  database: Database,
  row: KeyRow,
  { owner, nowMs }: { readonly owner: string; readonly nowMs: number },
): Promise<boolean> => {
  const updated = await database
    .updateTable('idempotency_keys')
    .set({ owner, since: nowMs })
    .where('scope', '=', row.scope)
    .where('owner', '=', row.owner)
    .where('sequence', 'is', null)
    .where('status', 'is', null)
    .executeTakeFirst();
  return updated.numUpdatedRows === 1n;
};

export const reserveKey = async (
  database: Database,
  reservation: KeyReservation,
  nowMs: number,
): Promise<KeyState> => {
  const { scope, tenantId, fingerprint, owner } = reservation;
  await database
    .deleteFrom('idempotency_keys')
    .where('since', '<', nowMs - KEY_LIFE_MS)
    .execute();
  const find = () =>
    database.selectFrom('idempotency_keys').selectAll().where('scope', '=', scope).executeTakeFirst();
  const known = await find();
  if (known === undefined && (await isFull(database, tenantId))) return { kind: 'full' };
  if (known === undefined && (await insertKey(database, reservation, nowMs))) return { kind: 'reserved' };
  const row = known ?? (await find());
  // Somebody was faster, and has given it back already: a moment later it can be had.
  if (row === undefined) return { kind: 'running' };
  if (row.fingerprint !== fingerprint) return { kind: 'other-request' };
  const state = stateOf(row, nowMs);
  if (state !== 'abandoned') return state;
  return { kind: (await takeOver(database, row, { owner, nowMs })) ? 'reserved' : 'running' };
};

/**
 * Part of a commit: the request it comes from is done with it.
 * @throws LostKey
 */
export const settleKey = async (
  transaction: Database,
  request: KeyedRequest | undefined,
  sequence: number,
): Promise<void> => {
  if (request === undefined) return;
  const updated = await transaction
    .updateTable('idempotency_keys')
    .set({ sequence })
    .where('scope', '=', request.scope)
    .where('owner', '=', request.owner)
    .executeTakeFirst();
  if (updated.numUpdatedRows !== 1n) throw new LostKey();
};

export const keepAnswer = async (
  database: Database,
  { scope, owner }: KeyedRequest,
  { status, headers, body }: KeptAnswer,
): Promise<boolean> => {
  const updated = await database
    .updateTable('idempotency_keys')
    .set({ status, headers: JSON.stringify(headers), body })
    .where('scope', '=', scope)
    .where('owner', '=', owner)
    .executeTakeFirst();
  return updated.numUpdatedRows === 1n;
};

/** What was done stays done: only a key without a commit is given back. */
export const releaseKey = async (database: Database, { scope, owner }: KeyedRequest): Promise<void> => {
  await database
    .deleteFrom('idempotency_keys')
    .where('scope', '=', scope)
    .where('owner', '=', owner)
    .where('sequence', 'is', null)
    .execute();
};
