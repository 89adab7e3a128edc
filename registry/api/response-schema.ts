// The answers that routes share, with their headers: what /openapi.json promises and the tests hold every answer to.

import { type TSchema, Type } from 'typebox';
import { listOf, PROBLEM_RESPONSES } from '#registry/api/route-schema.ts';

type Headers = Readonly<Record<string, { readonly type: 'string'; readonly description: string }>>;

const ENTITY_TAG = {
  ETag: { type: 'string', description: 'The revision in which this last changed, in quotes.' },
} as const satisfies Headers;

/** Only where there is more. */
export const NEXT = {
  Link: { type: 'string', description: '`<…>; rel="next"` (RFC 8288): where the list goes on, if it does.' },
} as const satisfies Headers;

/** Of an answer to a request with an Idempotency-Key. */
export const REPLAYED = {
  'Idempotency-Replayed': { type: 'string', description: '`true`: answered before, and not done again.' },
} as const satisfies Headers;

/** An answer with a JSON body and these headers. */
export const answerOf = (schema: TSchema, headers: Headers, description = 'OK') => ({
  description,
  headers,
  content: { 'application/json': { schema } },
});

const NOT_MODIFIED = Type.Null({
  description: 'It has not changed since If-None-Match.',
  headers: ENTITY_TAG,
});

/** A resource that is read with its ETag. */
export const readResponses = (schema: TSchema) => ({
  200: answerOf(schema, ENTITY_TAG),
  304: NOT_MODIFIED,
  ...PROBLEM_RESPONSES,
});

/** A resource that was changed, or made; `other` is what a 200 may be instead. */
export const writeResponses = (schema: TSchema, other?: TSchema) => ({
  200: answerOf(other === undefined ? schema : Type.Union([schema, other]), ENTITY_TAG),
  201: answerOf(schema, ENTITY_TAG, 'Created'),
  ...PROBLEM_RESPONSES,
});

/** An action that answers with what it has changed. */
export const actionResponses = (schema: TSchema, headers: Headers = {}) => ({
  200: answerOf(schema, { ...ENTITY_TAG, ...headers }),
  ...PROBLEM_RESPONSES,
});

export const removalResponses = { 204: Type.Null({ description: 'Removed' }), ...PROBLEM_RESPONSES };

/** A page of a list. */
export const pageResponses = (item: TSchema) => ({ 200: answerOf(listOf(item), NEXT), ...PROBLEM_RESPONSES });

/** A page of a list whose entries also change with the clock: its ETag is for writes, and no 304 is answered. */
export const livePageResponses = (item: TSchema) => ({
  200: answerOf(listOf(item), { ...ENTITY_TAG, ...NEXT }),
  ...PROBLEM_RESPONSES,
});

/** A page of a list that has an ETag. */
export const taggedPageResponses = (item: TSchema) => ({ ...livePageResponses(item), 304: NOT_MODIFIED });
