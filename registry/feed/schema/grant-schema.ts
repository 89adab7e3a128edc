// The shape of a grant (core/grant.ts). Whether what it names exists is judged by the commands.

import { Type } from 'typebox';
import { SUBJECT_KINDS } from '#core/grant.ts';
import { Id, ShortText } from '#registry/feed/schema/words.ts';

const SubjectSchema = Type.Object(
  { kind: Type.Enum([...SUBJECT_KINDS]), id: ShortText, issuerId: Type.Optional(Id) },
  { additionalProperties: false },
);

const names = (maxLength: number) =>
  Type.Array(Type.String({ minLength: 1, maxLength }), { maxItems: 1_000, uniqueItems: true, default: [] });

export const GRANT_FIELDS = {
  serverId: Id,
  subjects: Type.Array(SubjectSchema, { minItems: 1, maxItems: 1_000 }),
  tools: names(128),
  prompts: names(128),
  resources: names(2_048),
};

/** A stored grant. */
export const GrantSchema = Type.Object({ id: Id, ...GRANT_FIELDS }, { additionalProperties: false });
