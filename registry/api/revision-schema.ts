// How differences and access are told over HTTP, for /openapi.json. They are made by registry/revisions.

import { Type } from 'typebox';
import { SUBJECT_KINDS } from '#core/grant.ts';
import { AnyJson, Id } from '#registry/feed/schema/words.ts';

const ChangeWord = Type.Enum(['added', 'removed', 'changed']);

export const ResourceDiffSchema = Type.Object({
  resource: Type.String({
    description:
      '`tenant` (its settings), `issuers/{id}`, `servers/{id}`, `servers/{id}/versions/{version}`, `grants/{id}`.',
  }),
  change: ChangeWord,
  changes: Type.Array(
    Type.Object({
      change: ChangeWord,
      pointer: Type.String({
        description:
          'JSON Pointer (RFC 6901) into the resource: as it was, for what is removed, otherwise as it is after. Empty: the whole resource.',
      }),
      before: Type.Optional(AnyJson),
      after: Type.Optional(AnyJson),
    }),
  ),
});

const Names = Type.Array(Type.String());

const AccessEntrySchema = Type.Object({
  serverId: Id,
  subjects: Type.Array(
    Type.Object({
      kind: Type.Enum([...SUBJECT_KINDS]),
      id: Type.String(),
      issuerId: Id,
      callers: Type.Enum(['members', 'guests', 'partners'], {
        description: 'Of the issuer: its own people, guests of its directory, or everybody of a partner.',
      }),
    }),
  ),
  tools: Type.Array(Type.String(), { description: 'Of the version being served.' }),
  laterTools: Type.Array(Type.String(), {
    description: 'Usable once a version that has them is served; `*`: whatever a version has.',
  }),
  prompts: Names,
  resources: Names,
});

export const AccessSchema = Type.Object(
  {
    gained: Type.Array(AccessEntrySchema),
    lost: Type.Array(AccessEntrySchema),
    loosened: Type.Array(Type.Object({ resource: Type.String(), message: Type.String() }), {
      description:
        'Limits that are gone or may be weaker: constraints, required scopes, audiences, hosts, origins, the policy.',
    }),
    digest: Type.Optional(
      Type.String({
        description: 'Of gained and loosened; sent back as confirmAddedAccess. Absent: nothing is added.',
      }),
    ),
  },
  { description: 'Who may use more or less than before, whether or not a switch is off at the moment.' },
);
