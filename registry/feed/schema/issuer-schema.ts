// The shape of a trusted issuer (core/issuer.ts). What its fields mean together is judged by the commands.

import { Type } from 'typebox';
import { RESOURCE_PARAMETERS } from '#core/issuer.ts';
import { SIGNATURE_ALGORITHMS } from '#core/signature-algorithm.ts';
import { CLIENT_APPLICATION_FIELDS } from '#registry/feed/schema/credential-schema.ts';
import { FacadeSchema } from '#registry/feed/schema/facade-schema.ts';
import { SignalsSchema } from '#registry/feed/schema/signals-schema.ts';
import { Id, SecretName, ShortText, UrlText } from '#registry/feed/schema/words.ts';

const claimName = (usual: string) =>
  Type.String({
    minLength: 1,
    maxLength: 256,
    default: usual,
    description:
      'Name of a claim, a path with dots, or a JSON Pointer of at most eight members: /realm_access/roles, /https:~1~1acme.example~1roles.',
  });

const GroupLookupSchema = Type.Object(
  {
    ...CLIENT_APPLICATION_FIELDS,
    graphUrl: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        description: 'Origin of Microsoft Graph; https://graph.microsoft.com if absent.',
      }),
    ),
  },
  { additionalProperties: false },
);

const IntrospectionSchema = Type.Object(
  {
    endpoint: UrlText,
    clientId: ShortText,
    secretName: SecretName,
    maxAgeSeconds: Type.Integer({ minimum: 0, maximum: 300, default: 30 }),
  },
  { additionalProperties: false },
);

const TokenRequestsSchema = Type.Object(
  {
    nameResourceBy: Type.Array(Type.Enum([...RESOURCE_PARAMETERS]), {
      maxItems: 2,
      uniqueItems: true,
      default: ['resource'],
      description: 'Parameters that name a server’s resource; none: its scopes say what a token is for.',
    }),
    requestedTokenType: Type.Optional(
      Type.Enum(['access_token', 'jwt'], { description: 'requested_token_type; not said if absent.' }),
    ),
    assertionAudience: Type.Enum(['issuer', 'token-endpoint'], {
      default: 'issuer',
      description: 'aud of the assertions by which the gateway’s applications authenticate.',
    }),
  },
  { additionalProperties: false, description: 'How the issuer is asked for tokens; of kind oidc only.' },
);

const MachineCertificatesSchema = Type.Object(
  {
    authorities: Type.String({
      minLength: 1,
      maxLength: 32_768,
      description: 'PEM of the authorities that sign client certificates.',
    }),
    names: Type.Array(ShortText, {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'spiffe://acme.example/robots/*, robot.acme.example, *.robots.acme.example',
    }),
  },
  { additionalProperties: false },
);

export const ISSUER_FIELDS = {
  kind: Type.Enum(['entra', 'oidc']),
  issuer: UrlText,
  jwksUri: Type.Optional(UrlText),
  discoveryUri: Type.Optional(UrlText),
  tokenEndpoint: Type.Optional(UrlText),
  tokenRequests: Type.Optional(TokenRequestsSchema),
  groupLookup: Type.Optional(GroupLookupSchema),
  introspection: Type.Optional(IntrospectionSchema),
  machineCertificates: Type.Optional(MachineCertificatesSchema),
  facade: Type.Optional(FacadeSchema),
  signals: Type.Optional(SignalsSchema),
  algorithms: Type.Array(Type.Enum([...SIGNATURE_ALGORITHMS]), {
    minItems: 1,
    uniqueItems: true,
    default: ['RS256'],
  }),
  relation: Type.Enum(['home', 'partner']),
  directoryTenants: Type.Array(Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }), {
    maxItems: 1_000,
    uniqueItems: true,
    default: [],
  }),
  claims: Type.Object(
    {
      groups: claimName('groups'),
      roles: claimName('roles'),
      scopes: claimName('scp'),
      name: claimName('name'),
    },
    {
      additionalProperties: false,
      default: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
    },
  ),
  tokenType: Type.Optional(ShortText),
  clockToleranceSeconds: Type.Integer({ minimum: 0, maximum: 300, default: 30 }),
  enabled: Type.Boolean({ default: true }),
};

/** A stored issuer. */
export const IssuerSchema = Type.Object({ id: Id, ...ISSUER_FIELDS }, { additionalProperties: false });
