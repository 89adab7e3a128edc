// The shape of an MCP server (core/server.ts): what its admin sets, and what is stored beside it.

import { Type } from 'typebox';
import { DPOP_MODES } from '#core/dpop.ts';
import { SECRET_HEADER_PATTERN } from '#core/secret-header.ts';
import { TOKEN_MODES } from '#core/server.ts';
import { AdaptiveSchema } from '#registry/feed/schema/adaptive-schema.ts';
import { CLIENT_APPLICATION_FIELDS } from '#registry/feed/schema/credential-schema.ts';
import { ServerResponseGuardSchema } from '#registry/feed/schema/response-guard-schema.ts';
import { TrafficSchema } from '#registry/feed/schema/traffic-schema.ts';
import { UpstreamSchema } from '#registry/feed/schema/upstream-schema.ts';
import { VersionSchema } from '#registry/feed/schema/version-schema.ts';
import {
  AnyJson,
  Id,
  Scope,
  SecretName,
  ShortText,
  ToolName,
  VersionName,
} from '#registry/feed/schema/words.ts';

/** A body is held whole by Envoy and by ext-authz while a call is judged. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Sent in forms and compared with claims: characters that look like what they are. */
const PRINTABLE = '^[!-~]{1,512}$';

/** Versions of one server. */
export const MAX_VERSIONS = 200;

const OboApplicationSchema = Type.Object(CLIENT_APPLICATION_FIELDS, { additionalProperties: false });

const UpstreamAuthSchema = Type.Object(
  {
    mode: Type.Enum([...TOKEN_MODES]),
    scopes: Type.Array(Scope, { maxItems: 32, uniqueItems: true, default: [] }),
    appOnly: Type.Enum(['client-credentials', 'refuse'], { default: 'refuse' }),
    resource: Type.Optional(
      Type.String({
        pattern: PRINTABLE,
        description: 'The resource behind the server, as an issuer of kind oidc knows it.',
      }),
    ),
    tokenAudience: Type.Optional(
      Type.String({
        pattern: PRINTABLE,
        description: 'What aud of a token must be where it can be read; `resource` if absent.',
      }),
    ),
    actor: Type.Optional(
      Type.Enum(['application'], {
        description: 'Mode token-exchange: the application’s own token goes along as the actor’s.',
      }),
    ),
    secret: Type.Optional(
      Type.Object(
        {
          name: SecretName,
          header: Type.Optional(
            Type.String({
              pattern: SECRET_HEADER_PATTERN,
              description:
                'A header in lower case that ends in key, token or secret; Authorization: Bearer if absent.',
            }),
          ),
        },
        { additionalProperties: false, description: 'Mode static: a file, and the header it is sent in.' },
      ),
    ),
  },
  { additionalProperties: false },
);

/** Ends up in a quoted challenge parameter, several with a space between: as strict as a scope. */
const AssuranceSchema = Type.Object(
  {
    anyOf: Type.Array(Scope, {
      minItems: 1,
      maxItems: 8,
      uniqueItems: true,
      description:
        'Entra: authentication contexts (`c1`). Others: values of `acr` or `amr`. One of them is enough.',
    }),
    tools: Type.Optional(Type.Array(ToolName, { minItems: 1, maxItems: 1_000, uniqueItems: true })),
  },
  { additionalProperties: false },
);

const BindingSchema = Type.Object(
  {
    issuerId: Id,
    audiences: Type.Array(ShortText, { minItems: 1, maxItems: 16, uniqueItems: true }),
    requiredScopes: Type.Array(Scope, { maxItems: 32, uniqueItems: true, default: [] }),
    dpop: Type.Optional(Type.Enum([...DPOP_MODES])),
    requiredAssurance: Type.Optional(Type.Array(AssuranceSchema, { minItems: 1, maxItems: 32 })),
    oboApplication: Type.Optional(OboApplicationSchema),
  },
  { additionalProperties: false },
);

const ConstraintSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,127}$' }),
    tool: ToolName,
    pointer: Type.String({ pattern: '^(/([^~/]|~[01])*)+$', maxLength: 1_024 }),
    oneOf: Type.Optional(Type.Array(AnyJson, { minItems: 1, maxItems: 1_000 })),
    maximum: Type.Optional(Type.Number()),
    maxLength: Type.Optional(Type.Integer({ minimum: 0 })),
    prefix: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
    exceptGroups: Type.Array(ShortText, { maxItems: 100, uniqueItems: true, default: [] }),
  },
  { additionalProperties: false },
);

export const SERVER_FIELDS = {
  displayName: ShortText,
  allowedHosts: Type.Array(ShortText, { minItems: 1, maxItems: 64, uniqueItems: true }),
  upstreamAuth: UpstreamAuthSchema,
  bindings: Type.Array(BindingSchema, { minItems: 1, maxItems: 32 }),
  constraints: Type.Array(ConstraintSchema, { maxItems: 500, default: [] }),
  refusalStatus: Type.Enum([200, 403], { default: 200 }),
  maxBodyBytes: Type.Integer({ minimum: 1_024, maximum: MAX_BODY_BYTES, default: 1024 * 1024 }),
  upstream: Type.Optional(UpstreamSchema),
  adaptive: Type.Optional(AdaptiveSchema),
  responseGuard: Type.Optional(ServerResponseGuardSchema),
};

/** A stored server. `activeVersion` is empty until the first activation. */
export const ServerSchema = Type.Object(
  {
    id: Id,
    enabled: Type.Boolean(),
    ...SERVER_FIELDS,
    activeVersion: Type.Union([VersionName, Type.Literal('')]),
    traffic: Type.Optional(TrafficSchema),
    versions: Type.Array(VersionSchema, { maxItems: MAX_VERSIONS }),
  },
  { additionalProperties: false },
);
