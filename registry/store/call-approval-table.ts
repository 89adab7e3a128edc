// The table of questions to people about single calls, as a migration makes it (migrations.ts). Released, it is never
// edited.

/** Of one call at most one question is open, which the index sees to. */
export const CALL_APPROVAL_TABLE = `
  CREATE TABLE call_approvals (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    tenant     TEXT NOT NULL,
    digest     TEXT NOT NULL,
    server     TEXT NOT NULL,
    principal  TEXT NOT NULL,
    state      TEXT NOT NULL,
    question   TEXT NOT NULL,
    asked_at   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    actor      TEXT,
    reason     TEXT,
    decided_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX call_approvals_live ON call_approvals (tenant, digest)
    WHERE state IN ('pending', 'granted', 'refused');
  CREATE INDEX call_approvals_by_tenant ON call_approvals (tenant, number);
  CREATE INDEX call_approvals_by_caller ON call_approvals (tenant, principal, state);
  CREATE INDEX call_approvals_by_time ON call_approvals (expires_at);
  `;
