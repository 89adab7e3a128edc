// The step that brings the table of host names (registry/README.md); never edited once it is released.

export const HOST_NAMES: readonly string[] = [
  `
  CREATE TABLE host_names (
    name   TEXT PRIMARY KEY,
    tenant TEXT NOT NULL
  ) STRICT;
  CREATE INDEX host_names_by_tenant ON host_names (tenant);
  `,
];
