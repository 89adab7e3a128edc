// Schema version 1 of a manifest: one list of scopes for all tools, and the owner as a name.

import { Type } from 'typebox';
import type { Tool } from '#core/server.ts';
import { MAX_TOOLS, ToolSchema, VERSION_FIELDS } from '#registry/feed/schema/version-schema.ts';
import { Id, Scope, ShortText } from '#registry/feed/schema/words.ts';
import { type Manifest, SemanticVersion, SHARED_FIELDS } from '#registry/manifest/schema/manifest-2.ts';

const { requiredScopes: _requiredScopes, ...TOOL_FIELDS } = ToolSchema.properties;

export const Manifest1Schema = Type.Object(
  {
    schemaVersion: Type.Literal('1'),
    server: Id,
    version: SemanticVersion,
    ...VERSION_FIELDS,
    // What was there when this schema version was; others want a newer one.
    transport: Type.Enum(['streamable-http'], { default: 'streamable-http' }),
    scopes: Type.Array(Scope, { maxItems: 32, uniqueItems: true, default: [] }),
    tools: Type.Array(Type.Object(TOOL_FIELDS, { additionalProperties: false }), {
      maxItems: MAX_TOOLS,
    }),
    ...SHARED_FIELDS,
    owner: ShortText,
  },
  { additionalProperties: false },
);

export type Manifest1 = Omit<Manifest, 'schemaVersion' | 'tools' | 'owner'> & {
  readonly schemaVersion: '1';
  readonly scopes: readonly string[];
  readonly tools: readonly Omit<Tool, 'requiredScopes'>[];
  readonly owner: string;
};

/** The same manifest in version 2: what guarded all tools guards each of them. */
export const upgradeManifest1 = ({ scopes, tools, owner, ...rest }: Manifest1): Manifest => ({
  ...rest,
  schemaVersion: '2',
  tools: tools.map((tool) => ({ ...tool, requiredScopes: scopes })),
  owner: { name: owner },
});

/** Where in a manifest of version 1 stands what is at `pointer` of the upgraded one. */
export const pointerInManifest1 = (pointer: string): string =>
  pointer.replace(/^\/owner\/name$/, '/owner').replace(/^\/tools\/\d+\/requiredScopes(?=\/|$)/, '/scopes');
