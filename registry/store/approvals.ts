// Tables of approvals, read: pins, decisions, who published what, who registered which key.

import type { Tool } from '#core/server.ts';
import type { PinnedSurface, PinnedTool, Pins } from '#registry/approval/pins.ts';
import type {
  ApprovalRecords,
  Decision,
  KeyRegistration,
  ServerRecords,
  Submission,
  Verdict,
} from '#registry/approval/records.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** The pin of the server as a whole: no tool has an empty name. */
export const SURFACE_PIN = '';

export type PinRow = Tables['pins'];

const pinsFromRows = (rows: readonly PinRow[]): Pins => {
  const surface = rows.find(({ tool }) => tool === SURFACE_PIN);
  const tools = rows
    .filter(({ tool }) => tool !== SURFACE_PIN)
    .map(({ tool: name, version, body }): [string, PinnedTool] => [
      name,
      { version, tool: JSON.parse(body) as Tool },
    ]);
  const kept =
    surface === undefined ? undefined : (JSON.parse(surface.body) as Omit<PinnedSurface, 'version'>);
  return {
    ...(surface === undefined || kept === undefined
      ? {}
      : { surface: { version: surface.version, ...kept } }),
    tools: new Map(tools),
  };
};

const decisionFromRow = ({
  server,
  verdict,
  ...row
}: Omit<Tables['decisions'], 'number' | 'tenant'>): Decision => ({
  ...row,
  serverId: server,
  verdict: verdict as Verdict,
});

const submissionFromRow = (row: Omit<Tables['submissions'], 'number' | 'tenant'>): Submission => ({
  serverId: row.server,
  version: row.version,
  actor: row.actor,
  at: row.at,
  requests: JSON.parse(row.requests) as Submission['requests'],
  ...(row.publisher === null || row.kid === null
    ? {}
    : { signer: { publisherId: row.publisher, kid: row.kid } }),
});

const readPins = (database: Database, tenantId: string, serverId: string | undefined) =>
  database
    .selectFrom('pins')
    .selectAll()
    .where('tenant', '=', tenantId)
    .$if(serverId !== undefined, (query) => query.where('server', '=', serverId ?? ''))
    .execute();

const readDecisions = (database: Database, tenantId: string, serverId: string | undefined) =>
  database
    .selectFrom('decisions')
    .select(['server', 'version', 'verdict', 'definition', 'digest', 'actor', 'reason', 'at'])
    .where('tenant', '=', tenantId)
    .$if(serverId !== undefined, (query) => query.where('server', '=', serverId ?? ''))
    .orderBy('number', 'desc')
    .execute();

const readSubmissions = (database: Database, tenantId: string, serverId: string | undefined) =>
  database
    .selectFrom('submissions')
    .select(['server', 'version', 'actor', 'at', 'requests', 'publisher', 'kid'])
    .where('tenant', '=', tenantId)
    .$if(serverId !== undefined, (query) => query.where('server', '=', serverId ?? ''))
    .orderBy('number', 'desc')
    .execute();

const readRegistrations = async (database: Database, tenantId: string): Promise<KeyRegistration[]> => {
  const rows = await database
    .selectFrom('key_registrations')
    .select(['publisher as publisherId', 'kid', 'actor', 'at'])
    .where('tenant', '=', tenantId)
    .orderBy('at')
    .orderBy('actor')
    .execute();
  return rows;
};

/** Number of the tenant's last decision; zero before the first. */
export const readMark = async (database: Database, tenantId: string): Promise<number> => {
  const row = await database
    .selectFrom('decisions')
    .select('number')
    .where('tenant', '=', tenantId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.number ?? 0;
};

const byServer = <T extends { readonly server: string }>(rows: readonly T[]): ReadonlyMap<string, T[]> =>
  Map.groupBy(rows, ({ server }) => server);

/** What is kept about a tenant or one of its servers. To be called in a transaction that sees one state. */
export const findApprovals = async (
  database: Database,
  tenantId: string,
  serverId: string | undefined,
): Promise<ApprovalRecords> => {
  const pins = byServer(await readPins(database, tenantId, serverId));
  const decisions = byServer(await readDecisions(database, tenantId, serverId));
  const submissions = byServer(await readSubmissions(database, tenantId, serverId));
  const recordsOf = (id: string): ServerRecords => ({
    pins: pinsFromRows(pins.get(id) ?? []),
    decisions: (decisions.get(id) ?? []).map(decisionFromRow),
    submissions: (submissions.get(id) ?? []).map(submissionFromRow),
  });
  const ids = new Set([...pins.keys(), ...decisions.keys(), ...submissions.keys()]);
  return {
    mark: await readMark(database, tenantId),
    servers: new Map([...ids].map((id) => [id, recordsOf(id)])),
    keyRegistrations: await readRegistrations(database, tenantId),
  };
};
