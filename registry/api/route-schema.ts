// The parts of route schemas that resources share. They validate and they document: /openapi.json is made from them.

import { type TSchema, Type } from 'typebox';
import { PROBLEM_MEDIA_TYPE, ProblemSchema } from '#registry/api/problem.ts';
import { Id } from '#registry/feed/schema/words.ts';

export const TenantParams = Type.Object({ tenant: Id });
export const ItemParams = Type.Object({ tenant: Id, id: Id });

export const PROBLEM_RESPONSES = {
  default: {
    description: 'Why the request was refused',
    content: { [PROBLEM_MEDIA_TYPE]: { schema: ProblemSchema } },
  },
};

const IfMatch = Type.Optional(
  Type.String({ maxLength: 1_024, description: 'ETag of what was read; required to change what exists.' }),
);
const IfNoneMatch = Type.Optional(
  Type.String({ maxLength: 1_024, description: '`*`: only create, never replace.' }),
);
const IfChanged = Type.Optional(
  Type.String({ maxLength: 1_024, description: 'ETag of what is known; 304 if it still is so.' }),
);
const ChangeReason = Type.String({
  minLength: 1,
  maxLength: 500,
  description: 'Why; kept with the revision and in the audit.',
});

/** Headers of every write. */
export const WriteHeaders = Type.Object({
  'x-change-reason': ChangeReason,
  'if-match': IfMatch,
  'if-none-match': IfNoneMatch,
});

/** Headers of an action whose body can carry the reason. */
export const ActionHeaders = Type.Object({
  'x-change-reason': Type.Optional(ChangeReason),
  'if-match': IfMatch,
});

/** Headers of throwing a kill switch. */
export const ThrowHeaders = Type.Object({ ...ActionHeaders.properties, 'if-none-match': IfNoneMatch });

export const ReadHeaders = Type.Object({ 'if-none-match': IfChanged });

export const Reason = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 500,
    // JSON can say U+0000 and no header can; not every database keeps it.
    pattern: '^[^\\u0000]*$',
    description: 'Why; instead of the X-Change-Reason header.',
  }),
);

export const listOf = (item: TSchema) => Type.Object({ items: Type.Array(item) });

export const MergePatchBody = Type.Unsafe<object>({
  type: 'object',
  description: 'JSON Merge Patch (RFC 7396) of the fields that PUT takes.',
});

/** What PATCH takes; some clients cannot send anything but the second. */
export const PATCH_MEDIA_TYPES = ['application/merge-patch+json', 'application/json'];

const MAX_PAGE = 200;

/** Paging through what is listed newest first. */
export const pageQuery = (filters: Readonly<Record<string, TSchema>>) =>
  Type.Object(
    {
      ...filters,
      before: Type.Optional(Type.Integer({ minimum: 1, description: 'Entries older than this number.' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 50 })),
    },
    { additionalProperties: false },
  );
