// The tool both sample servers have: whose token did I get? It lets anyone see that the caller's own token never
// arrives, only one made for this server.

import type { Tool } from '#core/server.ts';

export const WHOAMI: Tool = {
  name: 'whoami',
  title: 'Who am I',
  description:
    'Tells on whose behalf this server was called: facts of the token it received, never the token.',
  inputSchema: { type: 'object', properties: {}, additionalProperties: false },
  outputSchema: {
    type: 'object',
    properties: {
      kind: { type: 'string', enum: ['user', 'app'], description: 'A person, or an application by itself.' },
      sub: { type: 'string' },
      oid: { type: 'string' },
      tid: { type: 'string' },
      app: { type: 'string', description: 'Client that asked for the token.' },
      aud: { type: 'string', description: 'Application the token was made for.' },
      scopes: { type: 'array', items: { type: 'string' } },
      roles: { type: 'array', items: { type: 'string' } },
    },
    required: ['kind', 'sub', 'oid', 'tid', 'app', 'aud', 'scopes', 'roles'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
  requiredScopes: [],
  tags: ['read'],
  idempotent: true,
};
