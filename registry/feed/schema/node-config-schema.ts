// The two bodies of a question for an Envoy's resources. Both come from the other end of the feed and are read like
// everything from there.

import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  MAX_NODE_RESOURCES,
  type NodeConfig,
  type NodeConfigQuestion,
  RESOURCE_STATES,
} from '#core/feed-message.ts';
import { err, ok, type Result } from '#core/result.ts';
import { NodeId } from '#registry/feed/schema/status-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };
const Count = Type.Integer({ minimum: 0 });
const Version = Type.String({ maxLength: 128 });
const Key = Type.String({ maxLength: 600 });

export const ResourceKindName = Type.String({
  pattern: '^[a-z]{1,32}$',
  description: '`cluster`, `secret`, `endpoint`, `listener`, `scope` or `route`.',
});

export const ResourceStateSchema = Type.Enum(RESOURCE_STATES, {
  description:
    '`pending`: it has another version than it is to have, or none. `rejected`: it refused this version. `unknown`: its xds-server has nothing to tell yet.',
});

export const ConfigTypeSchema = Type.Object(
  {
    kind: ResourceKindName,
    typeUrl: Type.String({ maxLength: 512 }),
    inSync: Count,
    pending: Count,
    rejected: Count,
    unknown: Count,
  },
  closed,
);

export const NodeResourceSchema = Type.Object(
  {
    kind: ResourceKindName,
    name: Type.String({ maxLength: 512 }),
    state: ResourceStateSchema,
    wanted: Type.Optional(
      Type.Object({ version: Version }, { ...closed, description: 'What it is to have; absent: nothing.' }),
    ),
    held: Type.Optional(
      Type.Object(
        { version: Version, by: Type.Enum(['acknowledged', 'claimed']) },
        {
          ...closed,
          description:
            'What it says it has; absent: nothing. `acknowledged`: it took it on this connection. `claimed`: it named it when it connected.',
        },
      ),
    ),
    message: Type.Optional(Type.String({ maxLength: 1_024, description: "Envoy's reason, redacted" })),
    tenant: Type.Optional(Id),
  },
  closed,
);

/** What every answer says that is none of "no such node". */
export const NODE_CONFIG_FIELDS = {
  sequence: Type.Integer({ minimum: -1, description: 'Commit it is being brought to; -1: none yet.' }),
  acknowledgedSequence: Type.Integer({ minimum: -1 }),
  types: Type.Array(ConfigTypeSchema, { maxItems: 64, description: 'All of its resources, counted.' }),
  resources: Type.Array(NodeResourceSchema, { maxItems: MAX_NODE_RESOURCES }),
} satisfies Readonly<Record<string, TSchema>>;

const answerCheck = Compile(
  Type.Union([
    Type.Object({ kind: Type.Literal('config'), ...NODE_CONFIG_FIELDS, next: Type.Optional(Key) }, closed),
    Type.Object({ kind: Type.Literal('absent') }, closed),
  ]),
);

const questionCheck = Compile(
  Type.Object(
    {
      nodeId: NodeId,
      kind: Type.Optional(ResourceKindName),
      state: Type.Optional(ResourceStateSchema),
      after: Type.Optional(Key),
      limit: Type.Integer({ minimum: 1, maximum: MAX_NODE_RESOURCES }),
    },
    closed,
  ),
);

const read = <T>(check: { Check(value: unknown): boolean }, bytes: Uint8Array): Result<T, 'unreadable'> => {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return check.Check(value) ? ok(value as T) : err('unreadable');
  } catch {
    return err('unreadable');
  }
};

export const parseNodeConfig = (bytes: Uint8Array): Result<NodeConfig, 'unreadable'> =>
  read(answerCheck, bytes);

export const parseNodeConfigQuestion = (bytes: Uint8Array): Result<NodeConfigQuestion, 'unreadable'> =>
  read(questionCheck, bytes);
