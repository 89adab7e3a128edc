// What the audit says of tools that begin to drift and of those that are done with it: which, where, in which fields, and
// the digest of what is served. Never what a server says: it is not trusted, and may be long.

import type { DriftingTool } from '#core/drift-book.ts';
import { type AuditSecrets, appendAudit } from '#registry/store/audit-append.ts';
import type { DriftWrite } from '#registry/store/drift.ts';
import { type Sight, toolKey } from '#registry/store/drift-sights.ts';
import { takeSequence } from '#registry/store/sequence.ts';
import type { Database } from '#registry/store/tables.ts';

/** Members of a tool by MCP's own names; any other name is the server's word. */
const FIELDS: ReadonlySet<string> = new Set([
  'name',
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
  'icons',
  'execution',
  '_meta',
]);

const fieldOf = (pointer: string): string => {
  const field = pointer.split('/')[1] ?? '';
  return FIELDS.has(field) ? field : 'other';
};

const fieldsOf = (sights: readonly Sight[]): readonly string[] =>
  [
    ...new Set(sights.flatMap(({ changes = [] }) => changes.map(({ pointer }) => fieldOf(pointer)))),
  ].toSorted();

const sightsOf = (sights: readonly Sight[], drifting: DriftingTool): readonly Sight[] =>
  sights.filter((sight) => sight.digest !== undefined && toolKey(sight) === toolKey(drifting));

type Told = { readonly what: 'begins' | 'ends'; readonly reason: string; readonly drifting: DriftingTool };

const append = async (
  transaction: Database,
  secrets: AuditSecrets,
  {
    told,
    write,
    sights,
  }: { readonly told: Told; readonly write: DriftWrite; readonly sights: readonly Sight[] },
): Promise<number> => {
  const { tenantId, serverId, actor, at } = write;
  const { version, tool, since } = told.drifting;
  const sequence = await takeSequence(transaction);
  const action = `drift ${told.what} servers/${serverId}/versions/${version}/tools/${tool}`;
  const replicas = sights.map(({ replica }) => replica);
  const digests = [...new Set(sights.flatMap(({ digest }) => digest ?? []))];
  await appendAudit(transaction, secrets, {
    kind: 'event',
    sequence,
    tenantId,
    record: { actor, action, reason: told.reason, at },
    facts: { serverId, version, tool, since, replicas, digests, fields: fieldsOf(sights) },
  });
  return sequence;
};

const begins = (drifting: DriftingTool, sights: readonly Sight[]): Told => {
  const fields = fieldsOf(sights).join(', ');
  const what =
    fields === '' ? 'it differs from what was approved' : `differs from what was approved: ${fields}`;
  return {
    what: 'begins',
    drifting,
    reason: `${what}; on ${sights.map(({ replica }) => replica).join(', ')}`,
  };
};

/** Appends a record for each tool; resolves with the sequence of the last. */
export const auditDrift = async (
  transaction: Database,
  secrets: AuditSecrets,
  step: {
    readonly write: DriftWrite;
    readonly before: readonly Sight[];
    readonly after: readonly Sight[];
    readonly begun: readonly DriftingTool[];
    readonly ended: readonly DriftingTool[];
  },
): Promise<number> => {
  const { write, before, after, begun, ended } = step;
  let sequence = 0;
  for (const drifting of begun) {
    const sights = sightsOf(after, drifting);
    sequence = await append(transaction, secrets, { told: begins(drifting, sights), write, sights });
  }
  for (const drifting of ended) {
    const sights = sightsOf(before, drifting);
    const isGone = sights.every((sight) => write.isGone(sight));
    const reason = isGone ? 'it can get no call any more' : 'what was approved is served again';
    sequence = await append(transaction, secrets, {
      told: { what: 'ends', reason, drifting },
      write,
      sights,
    });
  }
  return sequence;
};
