// What changed of a tenant, back into our words: each resource is judged alone, so that the cost is that of the change,
// then the tenant by what only the whole of it can break.

import { Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { isJsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { ResourceState } from '#registry/feed/apply-resources.ts';
import type { TenantPatch } from '#registry/feed/feed-source.ts';
import { completeResource } from '#registry/feed/schema/complete-tenant.ts';
import { MAX_VERSIONS, ServerSchema } from '#registry/feed/schema/server-schema.ts';
import { TENANT_FIELDS, TenantSchema } from '#registry/feed/schema/tenant-schema.ts';
import { VersionSchema } from '#registry/feed/schema/version-schema.ts';
import { Id, VersionName } from '#registry/feed/schema/words.ts';
import { TENANT_LISTS, TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

const closed = { additionalProperties: false };
const Sequence = Type.Integer({ minimum: 0 });

const patchCheck = Compile(
  Type.Object(
    {
      kind: Type.Literal('patch'),
      sequence: Sequence,
      tenantId: Id,
      revision: Type.Integer({ minimum: 1 }),
      resources: Type.Array(
        Type.Object(
          { name: Type.String(), body: Type.Union([Type.Null(), Type.Unsafe<object>({ type: 'object' })]) },
          closed,
        ),
      ),
    },
    closed,
  ),
);

const { properties: PARTS } = TenantSchema;

/** A server as a resource names its versions. */
const ServerStateSchema = Type.Object(
  {
    ...ServerSchema.properties,
    versions: Type.Array(VersionName, { maxItems: MAX_VERSIONS, uniqueItems: true }),
  },
  closed,
);

/** By kind of resource: the form of one. */
const FORMS: ReadonlyMap<string, Validator> = new Map<string, Validator>([
  ['tenant', Compile(Type.Object(TENANT_FIELDS, closed))],
  ['servers', Compile(ServerStateSchema)],
  ['versions', Compile(VersionSchema)],
  ...TENANT_LISTS.map(({ field, prefix }) => [prefix, Compile(PARTS[field].items)] as const),
  ...TENANT_SINGLES.map(({ field, name }) => [name, Compile(PARTS[field])] as const),
]);

type NameParts = { readonly kind: string; readonly field?: 'id' | 'version'; readonly key?: string };

/** What a name says of the body: which form, and what it calls itself. Undefined: no resource is named so. */
const readName = (name: string): NameParts | undefined => {
  const parts = name.split('/');
  const [kind = '', key, word, version] = parts;
  if (parts.length === 1) return kind === 'tenant' || isSingle(kind) ? { kind } : undefined;
  if (parts.length === 2 && key !== undefined && isList(kind)) return { kind, field: 'id', key };
  const isVersion = parts.length === 4 && kind === 'servers' && word === 'versions' && version !== undefined;
  return isVersion ? { kind: 'versions', field: 'version', key: version } : undefined;
};

const isList = (kind: string): boolean =>
  kind === 'servers' || TENANT_LISTS.some(({ prefix }) => prefix === kind);

const isSingle = (kind: string): boolean => TENANT_SINGLES.some(({ name }) => name === kind);

const isCalled = (body: object, { field, key }: NameParts): boolean =>
  field === undefined || (body as Readonly<Record<string, unknown>>)[field] === key;

/**
 * A resource as it may be stored and served, completed where it is older than a field.
 * @returns the resource; or its name and the path at fault. A field that is not known here is a fault: it may be a
 *   restriction.
 */
export const judgeResource = ({ name, body }: ResourceState): Result<ResourceState, string> => {
  const parts = readName(name);
  const form = FORMS.get(parts?.kind ?? '');
  if (parts === undefined || form === undefined) return err(name);
  if (body === null) return ok({ name, body });
  const completed = completeResource(name, body) as object;
  if (form.Check(completed)) return isCalled(completed, parts) ? ok({ name, body: completed }) : err(name);
  const [fault] = form.Errors(completed);
  return err(`${name}${fault?.instancePath ?? ''}`);
};

/** What is wrong with a tenant whose resources are right, if anything: more of a kind than there may be. */
export const findExcess = (tenant: Tenant): string | undefined => {
  const counted = [...TENANT_LISTS.map(({ field }) => field), 'servers' as const];
  return counted.find((field) => {
    const { maxItems = Number.POSITIVE_INFINITY } = PARTS[field] as { readonly maxItems?: number };
    return tenant[field].length > maxItems;
  });
};

/** A patch from parsed JSON, its resources not judged yet. Undefined: it is none. */
export const readPatch = (value: unknown): TenantPatch | undefined =>
  isJsonObject(value) && patchCheck.Check(value) ? (value as unknown as TenantPatch) : undefined;
