// Schema version 2 of a manifest: scopes stand with the tool they guard, and the owner can be reached.

import { Type } from 'typebox';
import { type ServerVersion, TOKEN_MODES, type TokenMode } from '#core/server.ts';
import { VERSION_FIELDS } from '#registry/feed/schema/version-schema.ts';
import { Id, Scope, ShortText } from '#registry/feed/schema/words.ts';

/** SemVer 2.0.0: manifests are compared by precedence, so a name that has none is refused. */
export const SemanticVersion = Type.String({
  maxLength: 64,
  pattern:
    '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(-(0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)(\\.(0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$',
  description: 'Semantic version (2.0.0), higher than every version of the server published before.',
});

/** Fields that both schema versions have. */
export const SHARED_FIELDS = {
  upstreamAuth: Type.Optional(
    Type.Object(
      { mode: Type.Enum([...TOKEN_MODES]), scopes: Type.Array(Scope, { maxItems: 32, uniqueItems: true }) },
      {
        additionalProperties: false,
        description: 'A request to the admin, kept with the manifest. It changes nothing by itself.',
      },
    ),
  ),
  health: Type.Optional(
    Type.Object(
      { path: Type.String({ pattern: '^/[!-~]{0,1023}$' }) },
      {
        additionalProperties: false,
        description: 'A request to the admin, kept with the manifest. It changes nothing by itself.',
      },
    ),
  ),
};

const OwnerSchema = Type.Object(
  { name: ShortText, contact: Type.Optional(ShortText) },
  { additionalProperties: false },
);

export const Manifest2Schema = Type.Object(
  {
    schemaVersion: Type.Literal('2'),
    server: Id,
    version: SemanticVersion,
    ...VERSION_FIELDS,
    ...SHARED_FIELDS,
    owner: OwnerSchema,
  },
  { additionalProperties: false },
);

/** A manifest as the registry works with it: always the newest schema version. */
export type Manifest = ServerVersion & {
  readonly schemaVersion: '2';
  readonly server: string;
  readonly upstreamAuth?: { readonly mode: TokenMode; readonly scopes: readonly string[] };
  readonly health?: { readonly path: string };
  readonly owner: { readonly name: string; readonly contact?: string };
};
