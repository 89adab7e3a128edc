// The shape of a tenant (core/tenant.ts), as it is stored and as it travels on the feed.

import { Type } from 'typebox';
import { AdminIssuerSchema } from '#registry/feed/schema/admin-issuer-schema.ts';
import { GrantSchema } from '#registry/feed/schema/grant-schema.ts';
import { IssuerSchema } from '#registry/feed/schema/issuer-schema.ts';
import { KillSwitchSchema } from '#registry/feed/schema/kill-switch-schema.ts';
import { TenantPolicySchema } from '#registry/feed/schema/policy-schema.ts';
import { PublisherSchema } from '#registry/feed/schema/publisher-schema.ts';
import { ResponseGuardSchema } from '#registry/feed/schema/response-guard-schema.ts';
import { ServerSchema } from '#registry/feed/schema/server-schema.ts';
import { TenantHostsSchema } from '#registry/feed/schema/tenant-hosts-schema.ts';
import { Id, ShortText } from '#registry/feed/schema/words.ts';

export const TENANT_FIELDS = {
  displayName: ShortText,
  accessContact: Type.String({ maxLength: 256 }),
  allowedOrigins: Type.Array(ShortText, { maxItems: 100, uniqueItems: true, default: [] }),
  maxStaleSeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 31_536_000 })),
  maxRevocationStaleSeconds: Type.Optional(
    Type.Integer({
      minimum: 10,
      maximum: 31_536_000,
      description:
        'Calls are refused where an ext-authz has not heard the registry for longer: somebody may have been revoked meanwhile. Absent: they go on.',
    }),
  ),
  requirePublisherCertificate: Type.Optional(
    Type.Boolean({
      description:
        'true: signed manifests are taken only over mutual TLS, with a certificate of their publisher.',
    }),
  ),
  fourEyes: Type.Boolean({
    default: true,
    description:
      'Nobody approves a version that he published, or that is signed with a key he registered. Switched off by a platform-admin only.',
  }),
  responseGuard: Type.Optional(ResponseGuardSchema),
};

/** A stored tenant. */
export const TenantSchema = Type.Object(
  {
    id: Id,
    revision: Type.Integer({ minimum: 1 }),
    ...TENANT_FIELDS,
    issuers: Type.Array(IssuerSchema, { maxItems: 100 }),
    servers: Type.Array(ServerSchema, { maxItems: 2_000 }),
    grants: Type.Array(GrantSchema, { maxItems: 10_000 }),
    publishers: Type.Array(PublisherSchema, { maxItems: 200 }),
    adminIssuer: Type.Optional(AdminIssuerSchema),
    policy: Type.Optional(TenantPolicySchema),
    hosts: Type.Optional(TenantHostsSchema),
    killSwitches: Type.Array(KillSwitchSchema, { maxItems: 1_000 }),
  },
  { additionalProperties: false },
);
