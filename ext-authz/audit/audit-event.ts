// A decision as an event of the audit chain, made from the same facts as the line in the decision log. What may be
// personal is sealed under the caller's key; where no caller was established there is no key, and it is left out. Pure.

import type { AuditEvent } from '#core/audit/subject.ts';
import type { Json, JsonObject } from '#core/json.ts';

/** Fields a tenant or the gateway chose the words of. A tool is named by the server; a resource may be named after a person. */
const OPEN_FIELDS = [
  'requestId',
  'tenant',
  'server',
  'sequence',
  'version',
  'versionBy',
  'caller',
  'issuer',
  'relation',
  'era',
  'messageKind',
  'method',
  'session',
  'tool',
  'targetCount',
  'decision',
  'reason',
  'policyRevision',
  'tokenSource',
  'approval',
  'arguments',
] as const;

const SEALED_FIELDS = ['application', 'prompt', 'resource', 'targets', 'facts'] as const;

const pick = (event: JsonObject, names: readonly string[]): JsonObject => {
  const picked: Record<string, Json> = {};
  for (const name of names) {
    const value = event[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
};

/** @param event the decision's line as `decisionEvent` makes it. */
export const auditEventOf = (event: JsonObject, at: string): AuditEvent => {
  const principal = event['principal'];
  const body = pick(event, OPEN_FIELDS);
  return typeof principal === 'string'
    ? { at, kind: 'decision', body, about: { principal, fields: pick(event, SEALED_FIELDS) } }
    : { at, kind: 'decision', body };
};
