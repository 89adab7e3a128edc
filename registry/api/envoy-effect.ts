// What a dry run says of Envoy: the names of resources that would change. An xds-server is asked; a dry run does not
// fail because nobody answers.

import { Type } from 'typebox';
import type { EnvoyPreview } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { TypeEffectSchema } from '#registry/feed/schema/parse-preview.ts';

/** Members of every answer to a dry run. */
export const ENVOY_FIELDS = {
  envoy: Type.Union(
    [
      Type.Object({
        sequence: Type.Integer({ description: 'Of the commit that is served now, and compared with.' }),
        types: Type.Array(TypeEffectSchema, {
          description: 'Types of resource of which any would change, with the names.',
        }),
        omitted: Type.Integer({ description: 'Names left out because there are too many.' }),
      }),
      Type.Null(),
    ],
    { description: 'What would change for Envoys; null if that is not known.' },
  ),
  envoyUnknown: Type.Optional(
    Type.Object({
      because: Type.Enum(['no-xds-server', 'no-answer', 'too-large', 'not-servable'], {
        description: '`not-servable`: Envoys would go on with what they have; `detail` says why.',
      }),
      detail: Type.Optional(Type.String()),
    }),
  ),
};

type Unknown = {
  readonly because: 'no-xds-server' | 'no-answer' | 'too-large' | 'not-servable';
  readonly detail?: string;
};

export type EnvoyEffect = {
  readonly envoy: Omit<Extract<EnvoyPreview, { kind: 'effect' }>, 'kind'> | null;
  readonly envoyUnknown?: Unknown;
};

const unknown = (envoyUnknown: Unknown): EnvoyEffect => ({ envoy: null, envoyUnknown });

/** What Envoys would be told if the tenant were like this. */
export const envoyEffect = async (
  context: Pick<ApiContext, 'preview'>,
  tenant: Tenant,
): Promise<EnvoyEffect> => {
  const asked = await context.preview(tenant);
  if (!asked.ok) return unknown({ because: asked.error });
  if (asked.value.kind === 'fault') return unknown({ because: 'not-servable', detail: asked.value.fault });
  const { sequence, types, omitted } = asked.value;
  return { envoy: { sequence, types, omitted } };
};
