// The shape of events on the feed (core/feed-message.ts).

import { Type } from 'typebox';
import { MAX_HINTED_USERS } from '#core/feed-message.ts';
import { Id } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };

const WORDS = { id: Type.String({ minLength: 1 }), tenantId: Id, at: Type.String() };

const Guid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' });

const DIRECTORY = { ...WORDS, issuerId: Id, tid: Guid };

export const FeedEventSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('terminate-streams'),
      ...WORDS,
      serverId: Type.Optional(Id),
      principal: Type.Optional(Type.String()),
      reason: Type.String(),
      actor: Type.String(),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('look-at-users'),
      ...DIRECTORY,
      oids: Type.Array(Guid, { minItems: 1, maxItems: MAX_HINTED_USERS }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Enum(['renew-subscription', 'sweep-now']), ...DIRECTORY }, closed),
]);
