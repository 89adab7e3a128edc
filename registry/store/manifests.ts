// Tables of published manifests: their bytes, the versions there have ever been, the signature ids that are used up.
// What writes is called inside the transaction of the change it belongs to.

import type { ChangedResource } from '#registry/commands/changed-resources.ts';
import type { SignatureId } from '#registry/store/signature-id.ts';
import type { ManifestSummary, ManifestsPage, Publication, StoredManifest } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';

const SUMMARY = ['number', 'server', 'version', 'digest', 'publisher', 'kid', 'at'] as const;

type SummaryRow = Readonly<Record<Exclude<(typeof SUMMARY)[number], 'number'>, string>> & {
  readonly number: number;
};

const summaryFromRow = ({
  number,
  server,
  version,
  digest,
  publisher,
  kid,
  at,
}: SummaryRow): ManifestSummary => ({
  number,
  serverId: server,
  version,
  digest,
  publisherId: publisher,
  kid,
  at,
});

/** Remembers versions that are new. Nothing takes one away again: a removed server must not come back older. */
export const markVersions = async (
  database: Database,
  tenant: string,
  changed: readonly ChangedResource[],
): Promise<void> => {
  const rows = changed.flatMap(({ name, after }) => {
    const [, server = '', , version] = name.split('/');
    return version === undefined || after === undefined ? [] : [{ tenant, server, version }];
  });
  for (const row of rows)
    await database
      .insertInto('published_versions')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
};

export const isSpent = async (database: Database, { thumbprint, jti }: SignatureId): Promise<boolean> => {
  const row = await database
    .selectFrom('signature_ids')
    .select('jti')
    .where('thumbprint', '=', thumbprint)
    .where('jti', '=', jti)
    .executeTakeFirst();
  return row !== undefined;
};

/** Uses up a signature's id, and forgets those whose signatures have expired. False: it was used up before. */
export const spendId = async (database: Database, id: SignatureId, nowSeconds: number): Promise<boolean> => {
  if (await isSpent(database, id)) return false;
  await database.deleteFrom('signature_ids').where('forget_at', '<', nowSeconds).execute();
  const { thumbprint, jti, forgetAt } = id;
  const inserted = await database
    .insertInto('signature_ids')
    .values({ thumbprint, jti, forget_at: forgetAt })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
};

export const insertManifest = async (
  database: Database,
  tenant: string,
  publication: Publication,
): Promise<void> => {
  const {
    serverId: server,
    version,
    digest,
    publisherId: publisher,
    kid,
    at,
    bytes,
    signature,
  } = publication;
  await database
    .insertInto('manifests')
    .values({ tenant, server, version, digest, publisher, kid, at, signature, bytes })
    .execute();
};

export const listManifests = async (
  database: Database,
  tenantId: string,
  page: ManifestsPage,
): Promise<readonly ManifestSummary[]> => {
  let query = database
    .selectFrom('manifests')
    .select(SUMMARY)
    .where('tenant', '=', tenantId)
    .where('number', '<', page.before ?? Number.MAX_SAFE_INTEGER);
  if (page.serverId !== undefined) query = query.where('server', '=', page.serverId);
  const rows = await query.orderBy('number', 'desc').limit(page.limit).execute();
  return rows.map(summaryFromRow);
};

export const findManifest = async (
  database: Database,
  tenantId: string,
  digest: string,
): Promise<StoredManifest | undefined> => {
  const row = await database
    .selectFrom('manifests')
    .selectAll()
    .where('tenant', '=', tenantId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : { ...summaryFromRow(row), bytes: row.bytes, signature: row.signature };
};

/** What a manifest is held against: every version there has ever been, and what was published as this one. */
export const findPublished = async (
  database: Database,
  tenantId: string,
  { serverId, version }: { readonly serverId: string; readonly version: string },
): Promise<{ readonly versions: readonly string[]; readonly digestOfVersion: string | undefined }> => {
  const versions = await database
    .selectFrom('published_versions')
    .select('version')
    .where('tenant', '=', tenantId)
    .where('server', '=', serverId)
    .orderBy('version')
    .execute();
  const manifest = await database
    .selectFrom('manifests')
    .select('digest')
    .where('tenant', '=', tenantId)
    .where('server', '=', serverId)
    .where('version', '=', version)
    .orderBy('number', 'desc')
    .executeTakeFirst();
  return { versions: versions.map((row) => row.version), digestOfVersion: manifest?.digest };
};
