// The table of marks that end what callers held, as a migration makes it (migrations.ts). Released, it is never edited.

/** Of one target there is one mark: its latest. `sequence` is that of the commit that moved it last. */
export const REVOCATION_TABLE = `
  CREATE TABLE revocations (
    sequence   INTEGER NOT NULL UNIQUE,
    id         TEXT NOT NULL UNIQUE,
    tenant     TEXT NOT NULL,
    target_key TEXT NOT NULL,
    target     TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    source     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    actor      TEXT,
    at         TEXT NOT NULL,
    PRIMARY KEY (tenant, target_key)
  ) STRICT;
  CREATE INDEX revocations_by_tenant ON revocations (tenant, sequence);
  CREATE INDEX revocations_by_end ON revocations (until);
  `;
