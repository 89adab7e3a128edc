// Refusals of the API as RFC 9457 problem documents. A problem says what the client can mend and nothing of how the
// registry works inside.

import { STATUS_CODES } from 'node:http';
import { Type } from 'typebox';
import type { JsonObject } from '#core/json.ts';
import type { Fault, Refusal } from '#registry/commands/outcome.ts';
import type { ManifestRefusalCode } from '#registry/manifest/refusal.ts';

/** More faults than this help nobody, and a body of thousands of bad items must not become a reply of megabytes. */
export const MAX_FAULTS = 50;

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

export type ProblemCode =
  | 'invalid-request'
  | 'invalid-resource'
  | 'conflict'
  | 'access-not-confirmed'
  | 'rollout-rejected'
  | 'approval-required'
  | 'approval-digest-mismatch'
  | 'approver-is-author'
  | 'approver-is-caller'
  | 'approval-not-pending'
  | 'author-unknown'
  | 'version-in-service'
  | 'policy-refused'
  | 'not-found'
  | 'method-not-allowed'
  | 'unauthenticated'
  | 'forbidden'
  | 'precondition-failed'
  | 'precondition-required'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'too-many-requests'
  | 'idempotency-key-reused'
  | 'idempotency-key-in-progress'
  | 'idempotency-answer-lost'
  | ManifestRefusalCode
  | 'unavailable'
  | 'internal';

/** A fault and, where it is not in the body, the part of the request its pointer leads into. */
export type ProblemFault = Fault & {
  readonly in?: 'header' | 'path' | 'query';
  /** Where several rules speak under one type: which one. */
  readonly code?: string;
};

export type Problem = {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly ProblemFault[];
  /** Members of the document beside those of RFC 9457 (§3.2). */
  readonly details?: JsonObject;
  /** Response headers that belong to it. */
  readonly headers?: Readonly<Record<string, string>>;
};

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:mcpgw:problem:{code}' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON Pointer (RFC 6901) to what is at fault' }),
          message: Type.String(),
          in: Type.Optional(Type.Enum(['header', 'path', 'query'])),
          code: Type.Optional(Type.String({ description: 'Rule of the lint that found it' })),
        }),
      ),
    ),
  },
  { description: 'RFC 9457 problem details' },
);

/** The document of a problem. */
export const problemDocument = ({ status, code, detail, errors, details }: Problem) => ({
  ...details,
  type: `urn:mcpgw:problem:${code}`,
  title: STATUS_CODES[status] ?? 'Error',
  status,
  detail,
  ...(errors === undefined ? {} : { errors }),
});

const REFUSALS: Readonly<Record<Refusal['kind'], Pick<Problem, 'status' | 'code' | 'detail'>>> = {
  invalid: { status: 422, code: 'invalid-resource', detail: 'The resource is not valid.' },
  conflict: {
    status: 409,
    code: 'conflict',
    detail: 'The change conflicts with other parts of the tenant.',
  },
  unconfirmed: {
    status: 409,
    code: 'access-not-confirmed',
    detail: 'The change adds access that was not confirmed.',
  },
  forbidden: { status: 403, code: 'forbidden', detail: 'This needs another role.' },
  'not-found': { status: 404, code: 'not-found', detail: 'There is no such resource.' },
};

/** What a command refused, as the client hears it. */
export const problemFromRefusal = ({ kind, faults, details }: Refusal): Problem => ({
  ...REFUSALS[kind],
  // A confirmation stands in the query: it is about the change, not part of what is stored.
  errors: faults
    .slice(0, MAX_FAULTS)
    .map((fault) => (kind === 'unconfirmed' ? { ...fault, in: 'query' } : fault)),
  ...(details === undefined ? {} : { details }),
});

export const noSuchResource: Problem = REFUSALS['not-found'] as Problem;

/** A request that does not fit its schema. */
export const invalidRequest = (errors: readonly ProblemFault[]): Problem => ({
  status: 400,
  code: 'invalid-request',
  detail: 'The request is not valid.',
  errors,
});
