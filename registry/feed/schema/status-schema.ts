// What a consumer reports of itself and of the Envoys behind it, as it is read from the feed and shown by the API. It
// refuses what it does not know; what is new in it is sent only to a registry that said it takes it.

import { type TSchema, Type } from 'typebox';
import { VersionPaceSchema } from '#registry/feed/schema/pace-schema.ts';
import { Id, Moment } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };
const Sequence = Type.Integer({ minimum: 0 });
const Message = Type.String({ maxLength: 1_024, description: "Envoy's reason, redacted" });
export const NodeId = Type.String({ maxLength: 256 });
const TypeUrl = Type.String({ maxLength: 512 });
const ResourceName = Type.String({ maxLength: 512, description: 'Name of the Envoy resource' });

export const LAST_NACK_FIELDS = {
  typeUrl: TypeUrl,
  resources: Type.Array(ResourceName, { maxItems: 100, description: 'What the refused response held.' }),
  omitted: Type.Integer({ minimum: 0, description: 'Names left out because there are too many.' }),
  message: Message,
  at: Moment,
} satisfies Readonly<Record<string, TSchema>>;

/** Who a node is. */
export const NODE_FACTS_FIELDS = {
  group: Type.Enum(['edge', 'sidecar']),
  servers: Type.Optional(
    Type.Array(Type.String({ maxLength: 128 }), {
      maxItems: 256,
      description: 'Of a sidecar: `tenant/server` or `tenant/*`.',
    }),
  ),
  region: Type.Optional(Type.String({ maxLength: 64 })),
  san: Type.Optional(
    Type.String({
      maxLength: 2_048,
      description: 'Name of its certificate by which it was admitted; absent on a Unix socket.',
    }),
  ),
  envoyVersion: Type.Optional(Type.String({ maxLength: 64, description: 'What it says of itself.' })),
  protocol: Type.Enum(['delta', 'sotw']),
  connectedSince: Moment,
  lastNack: Type.Optional(
    Type.Object(LAST_NACK_FIELDS, {
      ...closed,
      description: 'The response it refused last on this connection; it may have taken everything since.',
    }),
  ),
} satisfies Readonly<Record<string, TSchema>>;

const NodeFactsSchema = Type.Object(NODE_FACTS_FIELDS, closed);

/** What a consumer's status says for longer than a moment: all but the figures. */
export const ConsumerStatusSchema = Type.Object(
  {
    sequence: Sequence,
    nodes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            nodeId: NodeId,
            acknowledgedSequence: Sequence,
            rejected: Type.Array(
              Type.Object(
                {
                  typeUrl: TypeUrl,
                  resource: ResourceName,
                  tenantId: Type.Optional(Id),
                  message: Message,
                  arrived: Type.Optional(
                    Type.Object({ after: Type.Optional(Sequence), upTo: Sequence }, closed),
                  ),
                },
                closed,
              ),
              { maxItems: 1_000 },
            ),
            about: Type.Optional(NodeFactsSchema),
          },
          closed,
        ),
        { maxItems: 1_000 },
      ),
    ),
    gone: Type.Optional(
      Type.Array(
        Type.Object(
          { nodeId: NodeId, since: Moment, acknowledgedSequence: Sequence, about: NodeFactsSchema },
          closed,
        ),
        { maxItems: 1_000 },
      ),
    ),
    untranslated: Type.Optional(Type.Array(Id, { maxItems: 100_000 })),
    paces: Type.Optional(Type.Array(VersionPaceSchema, { maxItems: 100_000 })),
  },
  closed,
);
