// The shape of a sign-in façade (core/sign-in-facade.ts).

import { Type } from 'typebox';
import { Scope, SecretName, ShortText, UrlText } from '#registry/feed/schema/words.ts';

export const FacadeSchema = Type.Object(
  {
    clientId: ShortText,
    secretName: Type.Optional(SecretName),
    authorizationEndpoint: UrlText,
    tokenEndpoint: UrlText,
    scopes: Type.Array(Scope, {
      maxItems: 16,
      uniqueItems: true,
      default: ['openid', 'offline_access'],
      description: 'Asked for beside what the client asks for.',
    }),
    sendsResource: Type.Boolean({
      default: false,
      description: 'The provider understands `resource` (RFC 8707) and is sent it.',
    }),
    clientDocuments: Type.Boolean({
      default: true,
      description: 'Clients may be known by a document at their own address.',
    }),
    registration: Type.Boolean({
      default: false,
      description: 'Clients may register themselves (RFC 7591).',
    }),
    clientHosts: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^(\\*\\.)?[a-z0-9-]+(\\.[a-z0-9-]+)+$',
          maxLength: 253,
          description: 'claude.ai, or *.example.com for every name below it',
        }),
        { maxItems: 100, uniqueItems: true },
      ),
    ),
  },
  { additionalProperties: false },
);
