// Tables of tools that are served otherwise than was approved. They configure nothing, so they make no revision: what
// begins and what ends is a commit of its own, in the audit, and the feed tells it.

import { sql } from 'kysely';
import type { DriftingTool, ServerDrift } from '#core/drift-book.ts';
import type { JsonChange } from '#core/json-diff.ts';
import type { AuditSecrets } from '#registry/store/audit-append.ts';
import type { DriftedTool, DriftStep, DriftWrite, ReplicaSight, ServerName } from '#registry/store/drift.ts';
import { auditDrift } from '#registry/store/drift-audit.ts';
import { applySightings, type Sight, sightsBetween, toolKey } from '#registry/store/drift-sights.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

/** Longest changes that are kept of one sight, characters of JSON: what a sighting tells at most, and some escapes. */
const MAX_CHANGES_LENGTH = 256 * 1024;

/** Sights of one server whose changes are kept. Further ones refuse calls all the same, and say only that they differ. */
const MAX_EXPLAINED = 1_000;

const sightFromRow = (row: Omit<Tables['drift_sights'], 'changes'>): ReplicaSight => ({
  version: row.version,
  tool: row.tool,
  replica: row.replica,
  ...(row.digest === null ? {} : { digest: row.digest }),
  firstSeen: row.first_seen,
  lastSeen: row.last_seen,
});

/** What drifts as of the last commit. Locks the server's row to the end of the transaction. */
const lockServer = async (
  transaction: Database,
  { tenantId: tenant, serverId: server }: ServerName,
): Promise<readonly DriftingTool[]> => {
  await transaction
    .insertInto('drift')
    .values({ tenant, server, sequence: null, tools: '[]' })
    .onConflict((conflict) => conflict.columns(['tenant', 'server']).doNothing())
    .execute();
  const { tools } = await transaction
    .updateTable('drift')
    .set({ tools: sql<string>`tools` })
    .where('tenant', '=', tenant)
    .where('server', '=', server)
    .returning('tools')
    .executeTakeFirstOrThrow();
  return JSON.parse(tools) as readonly DriftingTool[];
};

const readSights = async (
  database: Database,
  { tenantId, serverId }: ServerName,
): Promise<readonly ReplicaSight[]> => {
  const rows = await database
    .selectFrom('drift_sights')
    .select(['tenant', 'server', 'version', 'tool', 'replica', 'digest', 'first_seen', 'last_seen'])
    .where('tenant', '=', tenantId)
    .where('server', '=', serverId)
    .execute();
  return rows.map(sightFromRow);
};

const textOf = (changes: readonly JsonChange[] = []): string => {
  const text = JSON.stringify(changes);
  return text.length > MAX_CHANGES_LENGTH ? '[]' : text;
};

const writeSights = async (
  transaction: Database,
  { tenantId: tenant, serverId: server }: ServerName,
  { before, after }: { readonly before: readonly Sight[]; readonly after: readonly Sight[] },
): Promise<void> => {
  const { written, deleted } = sightsBetween(before, after);
  for (const { version, tool, replica } of deleted)
    await transaction
      .deleteFrom('drift_sights')
      .where('tenant', '=', tenant)
      .where('server', '=', server)
      .where('version', '=', version)
      .where('tool', '=', tool)
      .where('replica', '=', replica)
      .execute();
  for (const { version, tool, replica, digest = null, changes, firstSeen, lastSeen } of written) {
    const state = {
      digest,
      changes: after.length > MAX_EXPLAINED ? '[]' : textOf(changes),
      first_seen: firstSeen,
      last_seen: lastSeen,
    };
    await transaction
      .insertInto('drift_sights')
      .values({ tenant, server, version, tool, replica, ...state })
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'server', 'version', 'tool', 'replica']).doUpdateSet(state),
      )
      .execute();
  }
};

const byName = (a: DriftingTool, b: DriftingTool): number =>
  a.version === b.version ? (a.tool < b.tool ? -1 : 1) : a.version < b.version ? -1 : 1;

/** Sorted by version and tool. A tool that has been drifting keeps its beginning, whichever replica it was seen on. */
const driftingOf = (
  sights: readonly Sight[],
  before: ReadonlyMap<string, DriftingTool>,
): readonly DriftingTool[] => {
  const drifting = Map.groupBy(
    sights.filter(({ digest }) => digest !== undefined),
    toolKey,
  );
  return [...drifting]
    .flatMap(([key, [first, ...others]]) => {
      if (first === undefined) return [];
      const { version, tool } = first;
      const [since = first.firstSeen] = [first, ...others].map(({ firstSeen }) => firstSeen).toSorted();
      return [before.get(key) ?? { version, tool, since }];
    })
    .toSorted(byName);
};

const storeServer = async (
  transaction: Database,
  { tenantId, serverId }: ServerName,
  { tools, sequence }: { readonly tools: readonly DriftingTool[]; readonly sequence: number },
): Promise<void> => {
  await transaction
    .updateTable('drift')
    .set({ tools: JSON.stringify(tools), sequence })
    .where('tenant', '=', tenantId)
    .where('server', '=', serverId)
    .execute();
};

/** Takes what was seen of one server, ends what can get no call any more, and commits what that changes for calls. */
export const takeDrift = async (
  transaction: Database,
  secrets: AuditSecrets,
  write: DriftWrite,
): Promise<DriftStep> => {
  const known = await lockServer(transaction, write);
  const stored: readonly Sight[] = await readSights(transaction, write);
  const after = applySightings(stored, write.sightings).filter((sight) => !write.isGone(sight));
  await writeSights(transaction, write, { before: stored, after });
  const old = new Map(known.map((drifting) => [toolKey(drifting), drifting]));
  const tools = driftingOf(after, old);
  const present = new Set(tools.map(toolKey));
  const begun = tools.filter((drifting) => !old.has(toolKey(drifting)));
  const ended = known.filter((drifting) => !present.has(toolKey(drifting)));
  if (begun.length + ended.length === 0) return { begun, ended };
  const sequence = await auditDrift(transaction, secrets, { write, before: stored, after, begun, ended });
  await storeServer(transaction, write, { tools, sequence });
  return { begun, ended, sequence };
};

/** What drifts of a server, as the feed carries it. */
export const driftFromRow = ({
  tenant: tenantId,
  server: serverId,
  tools,
}: Tables['drift']): ServerDrift => ({
  tenantId,
  serverId,
  tools: JSON.parse(tools) as ServerDrift['tools'],
});

const toolsOf = async (
  database: Database,
  { tenantId, serverId }: ServerName,
): Promise<readonly DriftingTool[]> => {
  const row = await database
    .selectFrom('drift')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('server', '=', serverId)
    .executeTakeFirst();
  return row === undefined ? [] : driftFromRow(row).tools;
};

/** To be called in a read transaction: which tools drift and on which replicas is of one state of the database. */
export const listDrift = async (
  database: Database,
  server: ServerName,
  { after = '', limit }: { readonly after?: string; readonly limit: number },
): Promise<readonly DriftedTool[]> => {
  const [afterVersion = '', afterTool = ''] = after.split('/');
  const behind = { version: afterVersion, tool: afterTool, since: '' };
  const all = await toolsOf(database, server);
  const page = all.filter((drifting) => byName(behind, drifting) < 0).slice(0, limit);
  if (page.length === 0) return [];
  const rows = await database
    .selectFrom('drift_sights')
    .selectAll()
    .where('tenant', '=', server.tenantId)
    .where('server', '=', server.serverId)
    .where('tool', 'in', [...new Set(page.map(({ tool }) => tool))])
    .orderBy('replica')
    .execute();
  const sights = Map.groupBy(rows, toolKey);
  return page.map((drifting) => ({
    ...drifting,
    replicas: (sights.get(toolKey(drifting)) ?? []).map((row) => ({
      ...sightFromRow(row),
      changes: JSON.parse(row.changes) as readonly JsonChange[],
    })),
  }));
};

export const listDriftingServers = async (
  database: Database,
): Promise<readonly (ServerName & { readonly tools: number })[]> => {
  const rows = await database.selectFrom('drift').selectAll().where('tools', '<>', '[]').execute();
  return rows.map(driftFromRow).map(({ tenantId, serverId, tools }) => ({
    tenantId,
    serverId,
    tools: tools.length,
  }));
};
