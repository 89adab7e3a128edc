// Tables of the SQLite store, as migrations: entry n takes a database from user_version n to n + 1.
// registry/README.md says what each table holds and who writes it.

import type { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '#core/gateway-error.ts';
import { inTransaction } from '#registry/store/sqlite-database.ts';

const MIGRATIONS: readonly string[] = [
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
  `
  CREATE TABLE published_versions (
    tenant  TEXT NOT NULL,
    server  TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (tenant, server, version)
  ) STRICT;
  INSERT OR IGNORE INTO published_versions
    SELECT revisions.tenant, server.value ->> 'id', version.value ->> 'version'
    FROM revisions, json_each(revisions.body, '$.servers') AS server,
      json_each(server.value, '$.versions') AS version
    WHERE revisions.body IS NOT NULL;

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
];

const versionOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version']);

/**
 * Brings the tables up to date, each step in a transaction of its own.
 * @throws GatewayError `store_failed` if the database was written by a newer program.
 */
export const migrate = (database: DatabaseSync, newEpoch: string): void => {
  if (versionOf(database) > MIGRATIONS.length)
    throw new GatewayError('store_failed', 'the database was written by a newer version of the registry');
  for (let version = versionOf(database); version < MIGRATIONS.length; version += 1) {
    inTransaction(database, () => {
      // Another process may have migrated while this one waited for the lock.
      if (versionOf(database) === version)
        database.exec(`${MIGRATIONS[version]}; PRAGMA user_version = ${version + 1}`);
    });
  }
  database.prepare("INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('sequence', '0')").run(newEpoch);
};
