// The tables of tools that are served otherwise than was approved, as a migration makes them (migrations.ts). Released, they
// are never edited.

/**
 * `drift_sights`: what each replica was last seen to serve of a tool that drifts; without a digest, what was approved.
 * `drift`: what drifts of a server, as of the commit `sequence`; null before the first.
 */
export const DRIFT_TABLES = `
  CREATE TABLE drift_sights (
    tenant     TEXT NOT NULL,
    server     TEXT NOT NULL,
    version    TEXT NOT NULL,
    tool       TEXT NOT NULL,
    replica    TEXT NOT NULL,
    digest     TEXT,
    changes    TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen  TEXT NOT NULL,
    PRIMARY KEY (tenant, server, version, tool, replica)
  ) STRICT;
  CREATE TABLE drift (
    tenant   TEXT NOT NULL,
    server   TEXT NOT NULL,
    sequence INTEGER UNIQUE,
    tools    TEXT NOT NULL,
    PRIMARY KEY (tenant, server)
  ) STRICT;
  `;
