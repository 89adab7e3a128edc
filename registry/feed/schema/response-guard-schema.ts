// The shape of what is done with answers (core/response-guard.ts), of a tenant and of a server. What it names, whether
// patterns compile and which headers are free is for registry/commands/rules/response-guard-rule.ts.

import { Type } from 'typebox';
import {
  CHECK_MODES,
  DRIFT_MODES,
  FINDING_ACTIONS,
  MESSAGE_KINDS,
  REQUEST_STATE_MODES,
  UNREADABLE_MODES,
} from '#core/response-guard.ts';
import { ShortText, ToolName } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };

/** Told in metrics and logs. */
const RuleName = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' });

const Tools = Type.Optional(Type.Array(ToolName, { minItems: 1, maxItems: 1_000, uniqueItems: true }));

const HeaderName = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$', description: 'In lower case.' });

/** Empty points at the whole; `*` is every element. */
const Pointer = Type.String({ pattern: '^(/([^~/]|~[01])*)*$', maxLength: 1_024 });

const FindingRuleSchema = Type.Object(
  {
    detector: Type.String({
      pattern: '^(plugin:)?[a-z0-9][a-z0-9-]{0,63}$',
      description: 'A built-in detector, or plugin: and the name of a plug-in.',
    }),
    kinds: Type.Optional(Type.Array(RuleName, { minItems: 1, maxItems: 64, uniqueItems: true })),
    action: Type.Enum([...FINDING_ACTIONS]),
    tools: Tools,
    messages: Type.Optional(
      Type.Array(Type.Enum([...MESSAGE_KINDS]), {
        minItems: 1,
        uniqueItems: true,
        description: 'Kinds of message; tool results alone if absent.',
      }),
    ),
    allowedHosts: Type.Optional(Type.Array(ShortText, { maxItems: 200, uniqueItems: true })),
    countries: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Z]{2}$' }), { maxItems: 64, uniqueItems: true }),
    ),
  },
  closed,
);

const RedactionSchema = Type.Object(
  {
    name: RuleName,
    pattern: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1_024, description: 'A regular expression in RE2’s syntax.' }),
    ),
    pointer: Type.Optional(Pointer),
    replacement: Type.Optional(Type.String({ maxLength: 256 })),
    tools: Tools,
  },
  closed,
);

const HeaderValue = Type.String({ pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]{0,1022}[\\x21-\\x7e])?$' });

const HeaderChangeSchema = Type.Union([
  Type.Object({ action: Type.Literal('add'), name: HeaderName, value: HeaderValue, tools: Tools }, closed),
  Type.Object({ action: Type.Literal('remove'), name: HeaderName, tools: Tools }, closed),
  Type.Object({ action: Type.Literal('rename'), name: HeaderName, to: HeaderName, tools: Tools }, closed),
]);

const ExtractionSchema = Type.Object(
  {
    name: RuleName,
    pointer: Pointer,
    header: Type.Optional(HeaderName),
    label: Type.Optional(Type.Literal(true)),
    values: Type.Array(HeaderValue, { minItems: 1, maxItems: 64, uniqueItems: true }),
    tools: Tools,
  },
  closed,
);

const FIELDS = {
  drift: Type.Optional(
    Type.Enum([...DRIFT_MODES], {
      description:
        'A tool described in other words than were approved: hide it, show it as approved, or report it.',
    }),
  ),
  arguments: Type.Optional(Type.Enum([...CHECK_MODES])),
  results: Type.Optional(Type.Enum([...CHECK_MODES])),
  unreadable: Type.Optional(Type.Enum([...UNREADABLE_MODES])),
  requestState: Type.Optional(Type.Enum([...REQUEST_STATE_MODES])),
  maxAnswerBytes: Type.Optional(Type.Integer({ minimum: 1_024, maximum: 48 * 1024 * 1024 })),
  findings: Type.Optional(Type.Array(FindingRuleSchema, { maxItems: 200 })),
};

const described = { ...closed, description: 'What is done with answers on their way to callers.' };

export const ResponseGuardSchema = Type.Object(FIELDS, described);

export const ServerResponseGuardSchema = Type.Object(
  {
    ...FIELDS,
    redactions: Type.Optional(Type.Array(RedactionSchema, { maxItems: 100 })),
    headers: Type.Optional(Type.Array(HeaderChangeSchema, { maxItems: 50 })),
    extractions: Type.Optional(Type.Array(ExtractionSchema, { maxItems: 50 })),
  },
  described,
);
