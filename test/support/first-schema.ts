// A database as the first release of the registry left it: tables and rows are spelled out here, because a test that
// made them with today's program would prove nothing.

import { DatabaseSync } from 'node:sqlite';
import type { Tenant } from '#core/tenant.ts';
import { auditDigest, CHAIN_START } from '#registry/store/audit-chain.ts';

const TABLES = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE tenants (
    id TEXT PRIMARY KEY, revision INTEGER NOT NULL, sequence INTEGER NOT NULL UNIQUE,
    body TEXT NOT NULL, stamps TEXT NOT NULL
  ) STRICT;
  CREATE TABLE tombstones (
    tenant TEXT PRIMARY KEY, revision INTEGER NOT NULL, sequence INTEGER NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE revisions (
    tenant TEXT NOT NULL, number INTEGER NOT NULL, sequence INTEGER NOT NULL UNIQUE, actor TEXT NOT NULL,
    action TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, changes TEXT NOT NULL, body TEXT,
    PRIMARY KEY (tenant, number)
  ) STRICT;
  CREATE TABLE events (sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY, tenant TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    reason TEXT NOT NULL, at TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_tenant ON audit (tenant, sequence);
  PRAGMA user_version = 1;
`;

/** What the second release added. */
const MANIFEST_TABLES = `
  CREATE TABLE published_versions (
    tenant TEXT NOT NULL, server TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (tenant, server, version)
  ) STRICT;
  CREATE TABLE manifests (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, server TEXT NOT NULL, version TEXT NOT NULL,
    digest TEXT NOT NULL, publisher TEXT NOT NULL, kid TEXT NOT NULL, at TEXT NOT NULL, signature TEXT NOT NULL,
    bytes BLOB NOT NULL, UNIQUE (tenant, digest), UNIQUE (tenant, server, version)
  ) STRICT;
  CREATE TABLE signature_ids (
    thumbprint TEXT NOT NULL, jti TEXT NOT NULL, forget_at INTEGER NOT NULL, PRIMARY KEY (thumbprint, jti)
  ) STRICT;
  CREATE INDEX signature_ids_by_time ON signature_ids (forget_at);
  PRAGMA user_version = 2;
`;

/** One commit of that time. `tenant` null: a removal. `stamps`: what the tenant's row said of its ETags. */
export type OldCommit = {
  readonly tenantId: string;
  readonly revision: number;
  readonly tenant: object | null;
  readonly stamps?: Readonly<Record<string, number>>;
};

const AT = '2026-01-01T00:00:00.000Z';

const insertCommits = (database: DatabaseSync, commits: readonly OldCommit[]): void => {
  let previous = CHAIN_START;
  for (const [index, { tenantId, revision, tenant, stamps }] of commits.entries()) {
    const sequence = index + 1;
    const record = { actor: 'ada', action: 'put tenant', reason: `commit ${sequence}`, at: AT };
    const body = tenant === null ? null : JSON.stringify({ ...tenant, id: tenantId, revision });
    database
      .prepare('INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(tenantId, revision, sequence, 'ada', 'put tenant', record.reason, AT, '["tenant: changed"]', body);
    database.prepare('DELETE FROM tenants WHERE id = ?').run(tenantId);
    database.prepare('DELETE FROM tombstones WHERE tenant = ?').run(tenantId);
    if (body === null)
      database.prepare('INSERT INTO tombstones VALUES (?, ?, ?)').run(tenantId, revision, sequence);
    else
      database
        .prepare('INSERT INTO tenants VALUES (?, ?, ?, ?, ?)')
        .run(tenantId, revision, sequence, body, JSON.stringify(stamps ?? {}));
    const digest = auditDigest({ ...record, sequence, tenantId, previous });
    database
      .prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(sequence, tenantId, record.actor, record.action, record.reason, record.at, previous, digest);
    previous = digest;
  }
};

/** Writes the file; `release` 1 knew no publishers and no manifests. */
export const writeOldDatabase = (path: string, release: 1 | 2, commits: readonly OldCommit[]): void => {
  const database = new DatabaseSync(path);
  database.exec(TABLES);
  if (release === 2) database.exec(MANIFEST_TABLES);
  database
    .prepare("INSERT INTO meta VALUES ('epoch', 'epoch-of-then'), ('sequence', ?)")
    .run(String(commits.length));
  insertCommits(database, commits);
  if (release === 2)
    database.exec(
      "INSERT INTO manifests VALUES (7, 'acme', 'tracker', '1.0.0', 'd1', 'team', 'k1', '2026-01-01T00:00:00.000Z', 's1', x'6279746573')",
    );
  database.close();
};

/** A tenant as the second release wrote it, and as the first one did. */
export const withoutSwitches = ({ killSwitches: _switches, ...tenant }: Tenant): object => tenant;

export const withoutPublishers = ({
  publishers: _publishers,
  killSwitches: _switches,
  ...tenant
}: Tenant): object => tenant;
