// What the feed reads: changes of tenants, removals, events, revocations and drift after a sequence, in the order of their commits.

import type { FeedEvent } from '#core/feed-message.ts';
import type { FeedBatch, FeedItem } from '#registry/feed/feed-source.ts';
import { driftFromRow } from '#registry/store/drifts.ts';
import { type PresentTenants, stateFromRow } from '#registry/store/present-tenants.ts';
import { revocationFromRow } from '#registry/store/revocations.ts';
import { lastSequence } from '#registry/store/sequence.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** Characters of bodies after which a batch ends: a tenant may have millions, and a stream holds its batch while the peer is slow. */
const MAX_BATCH_SIZE = 8 * 1024 * 1024;

type Found = { readonly item: FeedItem; readonly size: number };

type Candidate = { readonly sequence: number; readonly read: () => Promise<Found> };

export type Place = {
  /** Items after this sequence. */
  readonly from: number;
  readonly limit: number;
  /** Up to where the consumer has everything. */
  readonly known: number;
};

/** Present states that are younger than what the consumer has, those without a body among them. */
const patchItem = async (database: Database, head: Tables['tenants'], known: number): Promise<Found> => {
  const { id: tenantId, sequence, revision } = head;
  const rows = await database
    .selectFrom('resources')
    .select(['name', 'body'])
    .where('tenant', '=', tenantId)
    .where('until', 'is', null)
    .where('sequence', '>', known)
    .orderBy('name')
    .execute();
  const resources = rows.map(stateFromRow);
  return {
    item: { kind: 'change', sequence, change: { kind: 'patch', sequence, tenantId, revision, resources } },
    size: rows.reduce((sum, { body }) => sum + (body?.length ?? 0), 0),
  };
};

const tenantItem = async (
  database: Database,
  tenants: PresentTenants,
  { row, known }: { readonly row: Tables['tenants']; readonly known: number },
): Promise<Found> => {
  const { id, sequence, born } = row;
  if (born === null)
    return {
      item: { kind: 'change', sequence, change: { kind: 'remove', sequence, tenantId: id } },
      size: 0,
    };
  // A consumer from before this life of the tenant has another one, or none.
  if (born <= known) return patchItem(database, row, known);
  const { stored, size } = await tenants.load(database, { ...row, born });
  return {
    item: { kind: 'change', sequence, change: { kind: 'upsert', sequence, tenant: stored.tenant } },
    size,
  };
};

const eventItem = ({ sequence, body }: Tables['events']): Found => ({
  item: { kind: 'event', sequence, event: JSON.parse(body) as FeedEvent },
  size: body.length,
});

const revocationItem = (row: Tables['revocations']): Found => ({
  item: { kind: 'revocation', sequence: row.sequence, revocation: revocationFromRow(row) },
  size: row.target.length + row.reason.length,
});

const driftItem = (row: Tables['drift'], sequence: number): Found => ({
  item: { kind: 'drift', sequence, drift: driftFromRow(row) },
  size: row.tools.length,
});

/** At most `limit` of each kind: more than enough to find the first `limit` of all. */
const findCandidates = async (
  database: Database,
  tenants: PresentTenants,
  { from, limit, known }: Place,
): Promise<readonly Candidate[]> => {
  const after = (table: 'tenants' | 'events' | 'revocations' | 'drift') =>
    database.selectFrom(table).selectAll().where('sequence', '>', from).orderBy('sequence').limit(limit);
  const heads = (await after('tenants').execute()) as Tables['tenants'][];
  const events = (await after('events').execute()) as Tables['events'][];
  const marks = (await after('revocations').execute()) as Tables['revocations'][];
  const drift = (await after('drift').execute()) as Tables['drift'][];
  return [
    ...heads.map((row) => ({
      sequence: row.sequence,
      read: () => tenantItem(database, tenants, { row, known }),
    })),
    ...events.map((row) => ({ sequence: row.sequence, read: async () => eventItem(row) })),
    ...marks.map((row) => ({ sequence: row.sequence, read: async () => revocationItem(row) })),
    ...drift.map((row) => {
      const sequence = Number(row.sequence);
      return { sequence, read: async () => driftItem(row, sequence) };
    }),
  ].toSorted((a, b) => a.sequence - b.sequence);
};

/** To be called in a read transaction: a batch is of one state of the database. */
export const readBatch = async (
  database: Database,
  tenants: PresentTenants,
  { from, limit, known }: Place,
): Promise<FeedBatch> => {
  // One more than asked for tells whether there is more.
  const candidates = await findCandidates(database, tenants, { from, limit: limit + 1, known });
  const items: FeedItem[] = [];
  let size = 0;
  for (const candidate of candidates) {
    if (items.length === limit || size >= MAX_BATCH_SIZE)
      return { items, upTo: items.at(-1)?.sequence ?? from, more: true };
    const found = await candidate.read();
    items.push(found.item);
    size += found.size;
  }
  return { items, upTo: await lastSequence(database), more: false };
};
