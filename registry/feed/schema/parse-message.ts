// JSON from the feed or from the disk back into our words. A field this program does not know is refused, not
// dropped: in a newer registry it may be a restriction, and serving without it would open what was closed.

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { LATENCY_BOUNDS_MS } from '#core/call-figures.ts';
import type { ConsumerStatus, FeedEvent } from '#core/feed-message.ts';
import { isJsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Snapshot, TenantChange } from '#core/snapshot.ts';
import type { TenantPatch } from '#registry/feed/feed-source.ts';
import { completeTenant } from '#registry/feed/schema/complete-tenant.ts';
import { FeedEventSchema } from '#registry/feed/schema/event-schema.ts';
import { readPatch } from '#registry/feed/schema/parse-patch.ts';
import { ConsumerStatusSchema } from '#registry/feed/schema/status-schema.ts';
import { TenantSchema } from '#registry/feed/schema/tenant-schema.ts';
import { Id, VersionName } from '#registry/feed/schema/words.ts';

const Sequence = Type.Integer({ minimum: 0 });
const closed = { additionalProperties: false };

const tenantCheck = Compile(TenantSchema);
const upsertCheck = Compile(
  Type.Object({ kind: Type.Literal('upsert'), sequence: Sequence, tenant: TenantSchema }, closed),
);
const removeCheck = Compile(
  Type.Object({ kind: Type.Literal('remove'), sequence: Sequence, tenantId: Id }, closed),
);
const eventCheck = Compile(FeedEventSchema);

const Count = Type.Integer({ minimum: 0 });
const LATENCY_BUCKETS = LATENCY_BOUNDS_MS.length + 1;

const FiguresSchema = Type.Object(
  {
    calls: Count,
    errors: Count,
    latency: Type.Array(Count, { minItems: LATENCY_BUCKETS, maxItems: LATENCY_BUCKETS }),
    answers: Type.Optional(Type.Object({ judged: Count, invalid: Count }, closed)),
  },
  closed,
);

const VersionFiguresSchema = Type.Object(
  { tenantId: Id, serverId: Id, version: VersionName, figures: FiguresSchema },
  closed,
);

const statusCheck = Compile(
  Type.Object(
    {
      ...ConsumerStatusSchema.properties,
      figures: Type.Optional(
        Type.Object({ versions: Type.Array(VersionFiguresSchema, { maxItems: 100_000 }) }, closed),
      ),
    },
    closed,
  ),
);

type Check = { Check(value: unknown): boolean; Errors(value: unknown): readonly { instancePath: string }[] };

/** Paths only: a value may be long, and no log needs it. */
const faultsOf = (check: Check, value: unknown): string =>
  check
    .Errors(value)
    .slice(0, 3)
    .map((fault) => fault.instancePath || '/')
    .join(' ');

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
};

const parseWith = <T>(check: Check, value: unknown): Result<T, string> =>
  check.Check(value) ? ok(value as T) : err(faultsOf(check, value));

/** A tenant change from parsed JSON. The error names the paths at fault. Resources of a patch are not judged yet. */
export const readTenantChange = (value: unknown): Result<TenantChange | TenantPatch, string> => {
  if (!isJsonObject(value)) return err('/');
  const patch = readPatch(value);
  if (patch !== undefined) return ok(patch);
  if (value['kind'] === 'remove') return parseWith<TenantChange>(removeCheck, value);
  return parseWith<TenantChange>(upsertCheck, { ...value, tenant: completeTenant(value['tenant']) });
};

/** The same from its bytes. */
export const parseTenantChange = (bytes: Uint8Array): Result<TenantChange | TenantPatch, string> =>
  readTenantChange(parseJson(bytes));

/** The tenant a change is about, also where the rest of it cannot be understood. */
export const tenantIdOf = (bytes: Uint8Array): string | undefined => {
  const value = parseJson(bytes);
  if (!isJsonObject(value)) return undefined;
  const tenant = value['tenant'];
  const id = isJsonObject(tenant) ? tenant['id'] : value['tenantId'];
  return typeof id === 'string' ? id : undefined;
};

/** An event from its JSON. The error names the paths at fault. */
export const parseFeedEvent = (bytes: Uint8Array): Result<FeedEvent, string> =>
  parseWith<FeedEvent>(eventCheck, parseJson(bytes));

/** A consumer's status from its JSON. The error names the paths at fault. */
export const parseConsumerStatus = (bytes: Uint8Array): Result<ConsumerStatus, string> =>
  parseWith<ConsumerStatus>(statusCheck, parseJson(bytes));

/** A snapshot from parsed JSON: tenants sorted by id, no id twice. The error says what is wrong. */
export const parseSnapshot = (value: unknown): Result<Snapshot, string> => {
  if (!isJsonObject(value) || !Number.isSafeInteger(value['sequence'])) return err('/sequence');
  if (!Array.isArray(value['tenants'])) return err('/tenants');
  const tenants = value['tenants'].map(completeTenant);
  const faulty = tenants.find((tenant) => !tenantCheck.Check(tenant));
  if (faulty !== undefined) return err(faultsOf(tenantCheck, faulty));
  const snapshot = { ...value, tenants } as unknown as Snapshot;
  const isSorted = snapshot.tenants.every((tenant, at) => (snapshot.tenants[at - 1]?.id ?? '') < tenant.id);
  return isSorted ? ok(snapshot) : err('/tenants');
};
