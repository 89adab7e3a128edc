// Whom a policy is tried with: a caller of a home directory whom nobody has granted anything, and a tool.

import type { JsonObject } from '#core/json.ts';

/** An input of a policy, but for the call. */
export const STRANGER: JsonObject = {
  tenant: 'self-test',
  identity: {
    issuer: 'https://self-test.invalid',
    issuerId: 'self-test',
    relation: 'home',
    subject: 'stranger',
    kind: 'user',
    guest: false,
    groups: ['self-test'],
    roles: [],
    scopes: [],
    assurance: [],
  },
  server: { id: 'self-test', version: '0', requiredScopes: [] },
  grants: [],
  request: { time: '1970-01-01T00:00:00.000Z' },
};

export const TOOL = { name: 'self_test', tags: [], requiredScopes: [], constraints: [] };
