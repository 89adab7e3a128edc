// Tables of published manifests: their bytes, the versions there have ever been, the signature ids that are used up.
// Called inside the transaction of the write they belong to.

import type { DatabaseSync } from 'node:sqlite';
import type { Tenant } from '#core/tenant.ts';
import type {
  ManifestSummary,
  Page,
  Publication,
  SignatureId,
  StoredManifest,
} from '#registry/store/store.ts';

type Row = Record<string, unknown>;

const SUMMARY = 'number, server, version, digest, publisher, kid, at';

const summaryFromRow = (row: Row): ManifestSummary => ({
  number: Number(row['number']),
  serverId: String(row['server']),
  version: String(row['version']),
  digest: String(row['digest']),
  publisherId: String(row['publisher']),
  kid: String(row['kid']),
  at: String(row['at']),
});

const manifestFromRow = (row: Row): StoredManifest => ({
  ...summaryFromRow(row),
  bytes: row['bytes'] as Uint8Array,
  signature: String(row['signature']),
});

/** Versions of a tenant, each as one text. */
const versionKeys = (tenant: Tenant | undefined): Map<string, readonly [string, string]> =>
  new Map(
    (tenant?.servers ?? []).flatMap(({ id, versions }) =>
      versions.map(({ version }) => [`${id} ${version}`, [id, version]] as const),
    ),
  );

/** Remembers versions that are new. Nothing takes one away again: a removed server must not come back older. */
export const markVersions = (database: DatabaseSync, before: Tenant | undefined, after: Tenant): void => {
  const known = versionKeys(before);
  const insert = database.prepare('INSERT OR IGNORE INTO published_versions VALUES (?, ?, ?)');
  for (const [key, [serverId, version]] of versionKeys(after))
    if (!known.has(key)) insert.run(after.id, serverId, version);
};

export const isSpent = (database: DatabaseSync, { thumbprint, jti }: SignatureId): boolean =>
  database.prepare('SELECT 1 FROM signature_ids WHERE thumbprint = ? AND jti = ?').get(thumbprint, jti) !==
  undefined;

/** Uses up a signature's id, and forgets those whose signatures have expired. False: it was used up before. */
export const spendId = (database: DatabaseSync, id: SignatureId, nowSeconds: number): boolean => {
  if (isSpent(database, id)) return false;
  database.prepare('DELETE FROM signature_ids WHERE forget_at < ?').run(nowSeconds);
  database.prepare('INSERT INTO signature_ids VALUES (?, ?, ?)').run(id.thumbprint, id.jti, id.forgetAt);
  return true;
};

export const insertManifest = (database: DatabaseSync, tenantId: string, publication: Publication): void => {
  const { serverId, version, digest, publisherId, kid, at, bytes, signature } = publication;
  database
    .prepare(
      'INSERT INTO manifests (tenant, server, version, digest, publisher, kid, at, signature, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(tenantId, serverId, version, digest, publisherId, kid, at, signature, bytes);
};

export const listManifests = (database: DatabaseSync, tenantId: string, page: Page): ManifestSummary[] =>
  database
    .prepare(`SELECT ${SUMMARY} FROM manifests WHERE tenant = ? AND number < ? ORDER BY number DESC LIMIT ?`)
    .all(tenantId, page.before ?? Number.MAX_SAFE_INTEGER, page.limit)
    .map(summaryFromRow);

export const findManifest = (
  database: DatabaseSync,
  tenantId: string,
  digest: string,
): StoredManifest | undefined => {
  const query = 'SELECT * FROM manifests WHERE tenant = ? AND digest = ?';
  const row = database.prepare(query).get(tenantId, digest);
  return row === undefined ? undefined : manifestFromRow(row);
};

export const versionsEverPublished = (
  database: DatabaseSync,
  tenantId: string,
  serverId: string,
): readonly string[] =>
  database
    .prepare('SELECT version FROM published_versions WHERE tenant = ? AND server = ? ORDER BY version')
    .all(tenantId, serverId)
    .map((row) => String(row['version']));

/** Digest of the last manifest that was published as this version. */
export const digestOfVersion = (
  database: DatabaseSync,
  tenantId: string,
  { serverId, version }: { readonly serverId: string; readonly version: string },
): string | undefined => {
  const query =
    'SELECT digest FROM manifests WHERE tenant = ? AND server = ? AND version = ? ORDER BY number DESC LIMIT 1';
  const row = database.prepare(query).get(tenantId, serverId, version);
  return row === undefined ? undefined : String(row['digest']);
};
