// The shape of the channels by which an issuer's revocations come (core/issuer-signals.ts).

import { Type } from 'typebox';
import { SIGNATURE_ALGORITHMS } from '#core/signature-algorithm.ts';
import { SecretName, ShortText, UrlText } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };

const SharedSignalsSchema = Type.Object(
  {
    transmitter: Type.String({
      minLength: 1,
      maxLength: 2_048,
      description: 'iss of its Security Event Tokens, to the letter.',
    }),
    jwksUri: UrlText,
    audiences: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 2_048 }), {
        minItems: 1,
        maxItems: 16,
        uniqueItems: true,
        description: 'aud of its tokens; absent: the address at which the events are taken.',
      }),
    ),
    algorithms: Type.Array(Type.Enum([...SIGNATURE_ALGORITHMS]), {
      minItems: 1,
      uniqueItems: true,
      default: ['RS256'],
    }),
    authorizationSecretName: Type.Optional(SecretName),
    maxQuietSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 2_592_000 })),
  },
  closed,
);

const GraphSignalsSchema = Type.Object(
  {
    clientId: ShortText,
    secretName: SecretName,
    graphUrl: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        description: 'Origin of Microsoft Graph; https://graph.microsoft.com if absent.',
      }),
    ),
    pollSeconds: Type.Integer({ minimum: 5, maximum: 3_600, default: 60 }),
    maxStaleSeconds: Type.Optional(Type.Integer({ minimum: 30, maximum: 86_400 })),
    notifications: Type.Boolean({
      default: false,
      description: 'Graph tells of changes by itself, too; it must reach the receiver.',
    }),
  },
  closed,
);

export const SignalsSchema = Type.Object(
  { sharedSignals: Type.Optional(SharedSignalsSchema), graph: Type.Optional(GraphSignalsSchema) },
  { ...closed, minProperties: 1 },
);
