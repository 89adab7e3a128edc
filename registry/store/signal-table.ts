// The table of channels by which issuers tell of revocations, as a migration makes it (migrations.ts). Released, it is never
// edited.

/** Of each channel of an issuer when it was last heard of, and what its transmitter said of the stream. */
export const SIGNAL_TABLE = `
  CREATE TABLE signal_channels (
    tenant         TEXT NOT NULL,
    issuer         TEXT NOT NULL,
    channel        TEXT NOT NULL,
    heard_at       INTEGER NOT NULL,
    verified_at    INTEGER,
    verified_state TEXT,
    stream_status  TEXT,
    PRIMARY KEY (tenant, issuer, channel)
  ) STRICT;
  `;
