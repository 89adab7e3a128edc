// The shape of a traffic split (core/traffic-split.ts). What goes together, and what exists, is judged by the commands.

import { Type } from 'typebox';
import { ABORT_SIGNALS } from '#core/traffic-split.ts';
import { Id, Moment, ShortText, ToolName, VersionName } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };

/** Versions that share calls. */
const MAX_SHARES = 16;

const Weights = Type.Array(
  Type.Object({ version: VersionName, weight: Type.Integer({ minimum: 0, maximum: 10_000 }) }, closed),
  { minItems: 1, maxItems: MAX_SHARES, description: 'A share is the weight over the sum of all.' },
);

const Tools = Type.Array(Type.Object({ tool: ToolName, weights: Weights }, closed), {
  maxItems: 100,
  description: 'Shares of single tools, in place of those of the server.',
});

const Header = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$",
      description: 'Name of a request header in lower case.',
    }),
    value: Type.String({ pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$', maxLength: 256 }),
  },
  closed,
);

const Principal = Type.String({ minLength: 1, maxLength: 2_048 });

const Group = Type.Object({ id: ShortText, issuerId: Type.Optional(Id) }, closed);

const TesterSchema = Type.Union([
  Type.Object({ version: VersionName, header: Header }, closed),
  Type.Object({ version: VersionName, principal: Principal }, closed),
  Type.Object({ version: VersionName, group: Group }, closed),
]);

/** A tester as it is sent: that one of the three is given is judged by the command, which can say it in a sentence. */
const SentTesterSchema = Type.Object(
  {
    version: VersionName,
    header: Type.Optional(Header),
    principal: Type.Optional(Principal),
    group: Type.Optional(Group),
  },
  {
    ...closed,
    description:
      'Exactly one of: header; principal, as the decision log shows it; group, of home issuers unless issuerId names one.',
  },
);

const STEP_FIELDS = { weights: Weights, tools: Type.Optional(Tools) };

const MAX_STEPS = 64;
const MAX_TESTERS = 100;

const AbortSchema = Type.Object(
  {
    version: VersionName,
    fallback: VersionName,
    windowSeconds: Type.Integer({ minimum: 2, maximum: 3_600 }),
    minimumCalls: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    limits: Type.Array(
      Type.Object(
        {
          signal: Type.Enum([...ABORT_SIGNALS], {
            description:
              'error-rate: share of calls that failed, 0 to 1. latency-p95: time to the first byte, milliseconds. invalid-answers: share of answers held against their schema that do not fit it, 0 to 1.',
          }),
          maximum: Type.Number({ minimum: 0, maximum: 3_600_000 }),
        },
        closed,
      ),
      { minItems: 1, maxItems: ABORT_SIGNALS.length },
    ),
  },
  {
    ...closed,
    description: 'When all calls go back to `fallback` by themselves: one limit passed is enough.',
  },
);

const AbortRecordSchema = Type.Object(
  {
    at: Moment,
    version: VersionName,
    fallback: VersionName,
    signal: Type.Enum([...ABORT_SIGNALS]),
    value: Type.Number(),
    limit: Type.Number(),
    calls: Type.Integer(),
  },
  closed,
);

const Withdrawn = Type.Array(VersionName, {
  maxItems: 200,
  uniqueItems: true,
  description: 'Versions that get no call, and whose sessions are over.',
});

/** The shares that hold at one moment. */
export const SHARES_FIELDS = { weights: Weights, tools: Tools };

/** A stored split. */
export const TrafficSchema = Type.Object(
  {
    ...SHARES_FIELDS,
    testers: Type.Array(TesterSchema, { maxItems: MAX_TESTERS }),
    steps: Type.Array(Type.Object({ at: Moment, ...STEP_FIELDS }, closed), { maxItems: MAX_STEPS }),
    abort: Type.Optional(AbortSchema),
    withdrawn: Withdrawn,
    lastAbort: Type.Optional(AbortRecordSchema),
  },
  closed,
);

const SentStepSchema = Type.Object(
  {
    at: Type.Optional(Moment),
    afterSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000 })),
    ...STEP_FIELDS,
  },
  { ...closed, description: 'Exactly one of `at` and `afterSeconds`, which counts from the request on.' },
);

/** A split as it is sent. `withdrawn` absent: what is withdrawn stays so. */
export const SENT_TRAFFIC_FIELDS = {
  weights: Weights,
  tools: Type.Optional(Tools),
  testers: Type.Optional(Type.Array(SentTesterSchema, { maxItems: MAX_TESTERS })),
  steps: Type.Optional(Type.Array(SentStepSchema, { maxItems: MAX_STEPS })),
  abort: Type.Optional(AbortSchema),
  withdrawn: Type.Optional(Withdrawn),
};
