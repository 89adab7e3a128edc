// The shape of marks that end what callers held (core/revocation.ts): as the feed carries them, as copies keep them, and as
// channels report them.

import { Type } from 'typebox';
import { MAX_REVOCATION_REASON, REVOCATION_SOURCES } from '#core/revocation.ts';
import { Id } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };

const Guid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
  description: 'A GUID, in either case.',
});

/** No blanks around it: a name that was pasted with one would end nothing. */
const Name = Type.String({ pattern: '^\\S(.*\\S)?$', maxLength: 512 });

export const RevocationTargetSchema = Type.Union([
  Type.Object({ kind: Type.Literal('subject'), issuerId: Id, subject: Name }, closed),
  Type.Object({ kind: Type.Literal('directory-user'), tid: Guid, oid: Guid }, closed),
  Type.Object({ kind: Type.Literal('token'), issuerId: Id, tokenId: Name }, closed),
]);

/** Seconds since the epoch. */
const Seconds = Type.Integer({ minimum: 0, maximum: 9_999_999_999 });

const RevocationReason = Type.String({
  minLength: 1,
  maxLength: MAX_REVOCATION_REASON,
  pattern: '^[^\\u0000]*$',
});

const WORDS = {
  tenantId: Id,
  target: RevocationTargetSchema,
  notBefore: Seconds,
  reason: RevocationReason,
};

const CHANNELS = REVOCATION_SOURCES.filter((source) => source !== 'operator');

/** What a program may report: an operator's word comes by the API alone. */
export const RevocationReportSchema = Type.Object({ ...WORDS, source: Type.Enum(CHANNELS) }, closed);

export const RevocationSchema = Type.Object(
  {
    id: Id,
    ...WORDS,
    source: Type.Enum([...REVOCATION_SOURCES]),
    actor: Type.Optional(Type.String()),
    at: Type.String(),
    until: Seconds,
  },
  closed,
);
