// The tables as queries see them; registry/README.md says what each holds. Numbers are integers below 2^53, JSON is
// text, so that both dialects give back what was put in.

import type { Generated, Kysely } from 'kysely';

export type Tables = {
  meta: { key: string; value: string };
  tenants: { id: string; revision: number; sequence: number; born: number | null };
  resources: {
    tenant: string;
    name: string;
    revision: number;
    sequence: number;
    until: number | null;
    body: string | null;
  };
  revisions: {
    tenant: string;
    number: number;
    sequence: number;
    actor: string;
    action: string;
    reason: string;
    at: string;
    changes: string;
  };
  events: { sequence: number; at: string; body: string };
  audit: {
    sequence: number;
    tenant: string;
    actor: string;
    action: string;
    reason: string;
    at: string;
    previous: string;
    digest: string;
  };
  audit_records: {
    number: number;
    tenant: string;
    kind: string;
    at: string;
    action: string;
    subject: string | null;
    sequence: number | null;
    line: string;
  };
  audit_subjects: { pseudonym: string; key: string; wrapped: string };
  audit_checkpoints: { number: number; jws: string };
  published_versions: { tenant: string; server: string; version: string };
  manifests: {
    number: Generated<number>;
    tenant: string;
    server: string;
    version: string;
    digest: string;
    publisher: string;
    kid: string;
    at: string;
    signature: string;
    bytes: Uint8Array;
  };
  idempotency_keys: {
    scope: string;
    tenant: string;
    fingerprint: string;
    owner: string;
    since: number;
    sequence: number | null;
    status: number | null;
    headers: string | null;
    body: string | null;
  };
  pins: { tenant: string; server: string; tool: string; version: string; body: string };
  decisions: {
    number: Generated<number>;
    tenant: string;
    server: string;
    version: string;
    verdict: string;
    definition: string;
    digest: string;
    actor: string;
    reason: string;
    at: string;
  };
  submissions: {
    number: Generated<number>;
    tenant: string;
    server: string;
    version: string;
    actor: string;
    at: string;
    requests: string;
    publisher: string | null;
    kid: string | null;
  };
  call_approvals: {
    number: Generated<number>;
    id: string;
    tenant: string;
    digest: string;
    server: string;
    principal: string;
    state: string;
    question: string;
    asked_at: number;
    expires_at: number;
    actor: string | null;
    reason: string | null;
    decided_at: number | null;
  };
  key_registrations: { tenant: string; publisher: string; kid: string; actor: string; at: string };
  consumers: { consumer: string; replica: string; seen_at: number; entry: string };
  policy_bundles: {
    number: Generated<number>;
    tenant: string;
    digest: string;
    revision: string;
    size: number;
    signer: string | null;
    kid: string | null;
    at: string;
    bytes: Uint8Array;
  };
  revocations: {
    sequence: number;
    id: string;
    tenant: string;
    target_key: string;
    target: string;
    not_before: number;
    until: number;
    source: string;
    reason: string;
    actor: string | null;
    at: string;
  };
  signal_channels: {
    tenant: string;
    issuer: string;
    channel: string;
    heard_at: number;
    verified_at: number | null;
    verified_state: string | null;
    stream_status: string | null;
  };
  drift_sights: {
    tenant: string;
    server: string;
    version: string;
    tool: string;
    replica: string;
    digest: string | null;
    changes: string;
    first_seen: string;
    last_seen: string;
  };
  drift: { tenant: string; server: string; sequence: number | null; tools: string };
  host_names: { name: string; tenant: string };
  signature_ids: { thumbprint: string; jti: string; forget_at: number };
};

/** The handle of a database, or of a transaction in it. */
export type Database = Kysely<Tables>;
