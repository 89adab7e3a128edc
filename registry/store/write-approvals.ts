// Tables of approvals, written. They are no configuration: a restore leaves them alone, and nothing is ever taken out
// of them, also when a server or its tenant is removed.

import type { Tenant } from '#core/tenant.ts';
import type { MadeDecision } from '#registry/approval/decide.ts';
import type { Definition } from '#registry/approval/definition.ts';
import { newKeys } from '#registry/approval/new-keys.ts';
import type { Submission } from '#registry/approval/records.ts';
import { type PinRow, readMark, SURFACE_PIN } from '#registry/store/approvals.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { MarkedDecisions } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';

/** The rows of an approved definition. */
export const pinRowsOf = (
  place: { readonly tenant: string; readonly server: string; readonly version: string },
  { surface, tools }: Definition,
): readonly PinRow[] => [
  {
    ...place,
    tool: SURFACE_PIN,
    body: JSON.stringify({ surface, toolNames: tools.map(({ name }) => name).toSorted() }),
  },
  ...tools.map((tool) => ({ ...place, tool: tool.name, body: JSON.stringify(tool) })),
];

/** Remembers who published a version. */
export const insertSubmission = async (
  database: Database,
  tenant: string,
  { serverId: server, version, actor, at, requests, signer }: Submission,
): Promise<void> => {
  await database
    .insertInto('submissions')
    .values({
      tenant,
      server,
      version,
      actor,
      at,
      requests: JSON.stringify(requests),
      publisher: signer?.publisherId ?? null,
      kid: signer?.kid ?? null,
    })
    .execute();
};

/** Remembers who brought the keys that are new in `after`. */
export const insertRegistrations = async (
  database: Database,
  { before, after }: { readonly before: Tenant | undefined; readonly after: Tenant },
  { actor, at }: ChangeRecord,
): Promise<void> => {
  const rows = newKeys(before, after).map(({ publisherId: publisher, kid }) => ({
    tenant: after.id,
    publisher,
    kid,
    actor,
    at,
  }));
  if (rows.length === 0) return;
  await database
    .insertInto('key_registrations')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

const putPins = (database: Database, rows: readonly PinRow[]): Promise<unknown> =>
  database
    .insertInto('pins')
    .values([...rows])
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'server', 'tool']).doUpdateSet((set) => ({
        version: set.ref('excluded.version'),
        body: set.ref('excluded.body'),
      })),
    )
    .execute();

const insertDecision = async (
  database: Database,
  tenant: string,
  { decision, pinned }: MadeDecision,
): Promise<void> => {
  const { serverId: server, ...row } = decision;
  await database
    .insertInto('decisions')
    .values({ tenant, server, ...row })
    .execute();
  if (pinned !== undefined)
    await putPins(database, pinRowsOf({ tenant, server, version: decision.version }, pinned));
};

/** Keeps decisions and their pins, in a transaction that holds the sequence. False: another was made meanwhile. */
export const insertDecisions = async (
  database: Database,
  tenantId: string,
  { mark, made }: MarkedDecisions,
): Promise<boolean> => {
  if ((await readMark(database, tenantId)) !== mark) return false;
  for (const decision of made) await insertDecision(database, tenantId, decision);
  return true;
};
