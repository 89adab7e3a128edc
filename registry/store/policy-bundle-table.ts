// The step that brings the table of policy bundles (registry/README.md); never edited once it is released.

export const POLICY_BUNDLES: readonly string[] = [
  `
  CREATE TABLE policy_bundles (
    number   INTEGER PRIMARY KEY,
    tenant   TEXT NOT NULL,
    digest   TEXT NOT NULL,
    revision TEXT NOT NULL,
    size     INTEGER NOT NULL,
    signer   TEXT,
    kid      TEXT,
    at       TEXT NOT NULL,
    bytes    BLOB NOT NULL,
    UNIQUE (tenant, digest)
  ) STRICT;
  `,
];
