// Every step the tables have ever taken, for both dialects. A step that was released is never edited: it is what stands
// between somebody's database and this program. registry/README.md says what each table holds and how one is added.

import type { DatabaseSync } from 'node:sqlite';
import { adoptServing, type RowMover } from '#registry/store/adopt-serving.ts';
import { CALL_APPROVAL_TABLE } from '#registry/store/call-approval-table.ts';
import { DRIFT_TABLES } from '#registry/store/drift-table.ts';
import { HOST_NAMES } from '#registry/store/host-name-table.ts';
import { moveToResources } from '#registry/store/move-to-resources.ts';
import { POLICY_BUNDLES } from '#registry/store/policy-bundle-table.ts';
import { REVOCATION_TABLE } from '#registry/store/revocation-table.ts';
import { SIGNAL_TABLE } from '#registry/store/signal-table.ts';

/**
 * Statements in SQLite's words (`ddl-words.ts` says them to Postgres), and, between them, what moves rows about. That
 * runs on SQLite only: a database that was filled before Postgres joined is one of SQLite. What came later moves rows
 * by statements, and runs on both.
 */
export type Migration = readonly (
  | string
  | ((database: DatabaseSync) => void)
  | { readonly move: RowMover }
)[];

const FIRST: Migration = [
  `
  CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;

  CREATE TABLE tenants (
    id       TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    sequence INTEGER NOT NULL UNIQUE,
    body     TEXT NOT NULL,
    stamps   TEXT NOT NULL
  ) STRICT;

  CREATE TABLE tombstones (
    tenant   TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    sequence INTEGER NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE revisions (
    tenant   TEXT NOT NULL,
    number   INTEGER NOT NULL,
    sequence INTEGER NOT NULL UNIQUE,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       TEXT NOT NULL,
    changes  TEXT NOT NULL,
    body     TEXT,
    PRIMARY KEY (tenant, number)
  ) STRICT;

  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    body     TEXT NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    tenant   TEXT NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest   TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_tenant ON audit (tenant, sequence);
  `,
];

const MANIFESTS: Migration = [
  `
  CREATE TABLE published_versions (
    tenant  TEXT NOT NULL,
    server  TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (tenant, server, version)
  ) STRICT;

  CREATE TABLE manifests (
    number    INTEGER PRIMARY KEY,
    tenant    TEXT NOT NULL,
    server    TEXT NOT NULL,
    version   TEXT NOT NULL,
    digest    TEXT NOT NULL,
    publisher TEXT NOT NULL,
    kid       TEXT NOT NULL,
    at        TEXT NOT NULL,
    signature TEXT NOT NULL,
    bytes     BLOB NOT NULL,
    UNIQUE (tenant, digest),
    UNIQUE (tenant, server, version)
  ) STRICT;

  CREATE TABLE signature_ids (
    thumbprint TEXT NOT NULL,
    jti        TEXT NOT NULL,
    forget_at  INTEGER NOT NULL,
    PRIMARY KEY (thumbprint, jti)
  ) STRICT;
  CREATE INDEX signature_ids_by_time ON signature_ids (forget_at);
  `,
  (database) =>
    database.exec(`
      INSERT OR IGNORE INTO published_versions
      SELECT revisions.tenant, server.value ->> 'id', version.value ->> 'version'
      FROM revisions, json_each(revisions.body, '$.servers') AS server,
        json_each(server.value, '$.versions') AS version
      WHERE revisions.body IS NOT NULL;
    `),
];

/** From tenants that are stored whole with each revision to resources that are stored when they change. */
const RESOURCES: Migration = [
  `
  ALTER TABLE tenants RENAME TO whole_tenants;
  ALTER TABLE revisions RENAME TO whole_revisions;

  CREATE TABLE tenants (
    id       TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    sequence INTEGER NOT NULL UNIQUE,
    born     INTEGER
  ) STRICT;

  CREATE TABLE resources (
    tenant   TEXT NOT NULL,
    name     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    until    INTEGER,
    body     TEXT,
    PRIMARY KEY (tenant, name, revision)
  ) STRICT;
  CREATE UNIQUE INDEX resources_present ON resources (tenant, name) WHERE until IS NULL;
  CREATE INDEX resources_since ON resources (tenant, sequence) WHERE until IS NULL;

  CREATE TABLE revisions (
    tenant   TEXT NOT NULL,
    number   INTEGER NOT NULL,
    sequence INTEGER NOT NULL UNIQUE,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       TEXT NOT NULL,
    changes  TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
  ) STRICT;
  `,
  moveToResources,
  `
  DROP TABLE whole_tenants;
  DROP TABLE whole_revisions;
  DROP TABLE tombstones;
  `,
];

const IDEMPOTENCY_KEYS: Migration = [
  `
  CREATE TABLE idempotency_keys (
    scope       TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    owner       TEXT NOT NULL,
    since       INTEGER NOT NULL,
    sequence    INTEGER,
    status      INTEGER,
    headers     TEXT,
    body        TEXT
  ) STRICT;
  CREATE INDEX idempotency_keys_by_tenant ON idempotency_keys (tenant);
  CREATE INDEX idempotency_keys_by_time ON idempotency_keys (since);
  `,
];

const APPROVALS: Migration = [
  `
  CREATE TABLE pins (
    tenant  TEXT NOT NULL,
    server  TEXT NOT NULL,
    tool    TEXT NOT NULL,
    version TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (tenant, server, tool)
  ) STRICT;

  CREATE TABLE decisions (
    number     INTEGER PRIMARY KEY,
    tenant     TEXT NOT NULL,
    server     TEXT NOT NULL,
    version    TEXT NOT NULL,
    verdict    TEXT NOT NULL,
    definition TEXT NOT NULL,
    digest     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    at         TEXT NOT NULL
  ) STRICT;
  CREATE INDEX decisions_by_tenant ON decisions (tenant, number);
  CREATE INDEX decisions_by_server ON decisions (tenant, server, number);

  CREATE TABLE submissions (
    number    INTEGER PRIMARY KEY,
    tenant    TEXT NOT NULL,
    server    TEXT NOT NULL,
    version   TEXT NOT NULL,
    actor     TEXT NOT NULL,
    at        TEXT NOT NULL,
    requests  TEXT NOT NULL,
    publisher TEXT,
    kid       TEXT
  ) STRICT;
  CREATE INDEX submissions_by_server ON submissions (tenant, server, number);

  CREATE TABLE key_registrations (
    tenant    TEXT NOT NULL,
    publisher TEXT NOT NULL,
    kid       TEXT NOT NULL,
    actor     TEXT NOT NULL,
    at        TEXT NOT NULL,
    PRIMARY KEY (tenant, publisher, kid, actor)
  ) STRICT;
  `,
  { move: adoptServing },
];

const CONSUMERS: Migration = [
  `
  CREATE TABLE consumers (
    consumer TEXT NOT NULL,
    replica  TEXT NOT NULL,
    seen_at  INTEGER NOT NULL,
    entry    TEXT NOT NULL,
    PRIMARY KEY (consumer, replica)
  ) STRICT;
  CREATE INDEX consumers_by_time ON consumers (seen_at);
  `,
];

/** From a chain of plain hashes to one with a keyed MAC. What was there stays as it is; the new chain binds its end. */
const KEYED_AUDIT: Migration = [
  `
  CREATE TABLE audit_records (
    number   INTEGER PRIMARY KEY,
    tenant   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    at       TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT,
    sequence INTEGER,
    line     TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_records_by_tenant ON audit_records (tenant, number);
  CREATE INDEX audit_records_by_subject ON audit_records (subject);
  CREATE UNIQUE INDEX audit_records_by_sequence ON audit_records (sequence);

  CREATE TABLE audit_subjects (
    pseudonym TEXT PRIMARY KEY,
    key       TEXT NOT NULL,
    wrapped   TEXT NOT NULL
  ) STRICT;

  CREATE TABLE audit_checkpoints (
    number INTEGER PRIMARY KEY,
    jws    TEXT NOT NULL
  ) STRICT;

  INSERT INTO meta VALUES ('audit-head', '');
  `,
];

/** Entry n takes a database from version n to n + 1. */
export const MIGRATIONS: readonly Migration[] = [
  FIRST,
  MANIFESTS,
  RESOURCES,
  IDEMPOTENCY_KEYS,
  APPROVALS,
  CONSUMERS,
  KEYED_AUDIT,
  [CALL_APPROVAL_TABLE],
  POLICY_BUNDLES,
  HOST_NAMES,
  [REVOCATION_TABLE],
  [SIGNAL_TABLE],
  [DRIFT_TABLES],
];

/** More migrations were seen than there are here. */
export const NEWER_PROGRAM = 'the database was written by a newer version of the registry';
