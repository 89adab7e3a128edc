// Events to the running system: written like changes, kept as long as somebody may have been away.

import type { DirectoryHint, FeedEvent } from '#core/feed-message.ts';
import { type AuditSecrets, appendAudit } from '#registry/store/audit-append.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import { settleKey } from '#registry/store/idempotency.ts';
import { takeSequence } from '#registry/store/sequence.ts';
import type { Database } from '#registry/store/tables.ts';

/** How long a consumer may be away and still hear of an event, milliseconds. Streams it missed are long over then. */
const EVENT_LIFE_MS = 3_600_000;

/** Adds an event and lets go of those nobody can still need. */
const addEvent = async (transaction: Database, event: FeedEvent): Promise<number> => {
  const sequence = await takeSequence(transaction);
  const oldest = new Date(Date.parse(event.at) - EVENT_LIFE_MS).toISOString();
  await transaction.deleteFrom('events').where('at', '<', oldest).execute();
  await transaction
    .insertInto('events')
    .values({ sequence, at: event.at, body: JSON.stringify(event) })
    .execute();
  return sequence;
};

/** Hints of a provider. Nobody of ours ordered anything, so nothing of it is in the audit. Resolves with the last sequence. */
export const writeHints = async (
  transaction: Database,
  hints: readonly [DirectoryHint, ...DirectoryHint[]],
): Promise<number> => {
  let sequence = 0;
  for (const hint of hints) sequence = await addEvent(transaction, hint);
  return sequence;
};

/** Writes an event with its audit record. */
export const writeEvent = async (
  transaction: Database,
  secrets: AuditSecrets,
  { event, record }: { readonly event: FeedEvent; readonly record: ChangeRecord },
): Promise<number> => {
  const sequence = await addEvent(transaction, event);
  await settleKey(transaction, record.request, sequence);
  await appendAudit(transaction, secrets, { kind: 'event', sequence, tenantId: event.tenantId, record });
  return sequence;
};
