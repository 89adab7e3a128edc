// How a review is told over HTTP: what it holds, and where to go on from it.

import { type TSchema, Type } from 'typebox';
import type { Tenant } from '#core/tenant.ts';
import { rolesFor } from '#registry/api/auth/roles.ts';
import { PROBLEM_MEDIA_TYPE, ProblemSchema } from '#registry/api/problem.ts';
import { ownersOf } from '#registry/approval/decide.ts';
import { DIFFERENCE_KINDS } from '#registry/approval/difference.ts';
import { VERDICTS } from '#registry/approval/records.ts';
import { REVIEW_STATES, type Review, type ReviewSummary } from '#registry/approval/review.ts';
import { isServed } from '#registry/approval/serve.ts';
import { versionName } from '#registry/commands/resources.ts';
import { AnyJson, Id, ToolName } from '#registry/feed/schema/words.ts';

const At = Type.String({ format: 'date-time' });
const Signer = { publisher: Id, kid: Type.String() };

const DifferenceSchema = Type.Object({
  kind: Type.Enum([...DIFFERENCE_KINDS]),
  change: Type.Enum(['added', 'removed', 'changed']),
  pointer: Type.String({
    description: 'JSON Pointer (RFC 6901) into the version, its tools by name: `/tools/create_issue/title`.',
  }),
  tool: Type.Optional(ToolName),
  needsApproval: Type.Boolean(),
  before: Type.Optional(AnyJson),
  after: Type.Optional(AnyJson),
});

const DecisionSchema = Type.Object({
  verdict: Type.Enum([...VERDICTS], {
    description: '`passed`: put into service when it needed no approval; nothing was pinned.',
  }),
  actor: Type.String(),
  reason: Type.String(),
  at: At,
  digest: Type.String({ description: 'Of the review that was seen.' }),
});

const ApproversSchema = Type.Object({
  roles: Type.Array(Type.String()),
  except: Type.Array(Type.String(), {
    description: 'Principals whose own work it is; empty without four eyes.',
  }),
});

export const SUMMARY_FIELDS = {
  server: Id,
  version: Type.String(),
  state: Type.Enum([...REVIEW_STATES]),
  served: Type.Boolean({ description: 'Calls go to this version now.' }),
  submissions: Type.Array(
    Type.Object({ actor: Type.String(), at: At, ...Type.Partial(Type.Object(Signer)).properties }),
    { description: 'Everybody who published something under this name, the last one first.' },
  ),
  keyRegistrations: Type.Array(Type.Object({ ...Signer, actor: Type.String(), at: At }), {
    description: 'Who registered the keys it is signed with.',
  }),
  approvers: ApproversSchema,
  links: Type.Object({ review: Type.String(), version: Type.String() }),
};

export const ReviewSchema = Type.Object({
  ...SUMMARY_FIELDS,
  digest: Type.String({ description: 'Sent with a decision: this was seen.' }),
  baseline: Type.Optional(Type.String({ description: 'The version last approved of this server.' })),
  differences: Type.Array(DifferenceSchema, { description: 'From what was last approved of each tool.' }),
  decision: Type.Optional(DecisionSchema),
});

const refusalWith = (description: string, members: Readonly<Record<string, TSchema>>) => ({
  description,
  content: {
    [PROBLEM_MEDIA_TYPE]: {
      schema: Type.Object({ ...ProblemSchema.properties, ...Type.Partial(Type.Object(members)).properties }),
    },
  },
});

/** An activation that is refused because nobody has approved it. */
export const ACTIVATION_REFUSED = {
  409: refusalWith('What stands against it; `approval-required`: its review, and who may approve', {
    state: SUMMARY_FIELDS.state,
    review: Type.String({ description: 'Path of the review.' }),
    approvers: ApproversSchema,
  }),
};

/** A decision that is refused. */
export const DECISION_REFUSED = {
  403: refusalWith('It is for somebody else to decide', { approvers: ApproversSchema }),
  409: refusalWith('What stands against it; `review`: as it is now', {
    review: ReviewSchema,
    approvers: ApproversSchema,
  }),
};

/** Path of a review. */
export const reviewPath = (tenantId: string, serverId: string, version: string): string =>
  `/v1/tenants/${tenantId}/${versionName(serverId, version)}/review`;

/** Who may approve, as far as a role and the review say it. */
export const approversOf = (tenantId: string, review: ReviewSummary) => ({
  roles: rolesFor('write', tenantId),
  except: review.fourEyes ? ownersOf(review) : [],
});

export const summaryView = (tenant: Tenant, review: ReviewSummary) => {
  const { serverId, version, state, submissions, keyRegistrations } = review;
  const path = reviewPath(tenant.id, serverId, version);
  return {
    server: serverId,
    version,
    state,
    served: isServed(tenant, serverId, version),
    submissions: submissions.map(({ actor, at, signer }) => ({
      actor,
      at,
      ...(signer === undefined ? {} : { publisher: signer.publisherId, kid: signer.kid }),
    })),
    keyRegistrations: keyRegistrations.map(({ publisherId: publisher, kid, actor, at }) => ({
      publisher,
      kid,
      actor,
      at,
    })),
    approvers: approversOf(tenant.id, review),
    links: { review: path, version: path.slice(0, -'/review'.length) },
  };
};

export const reviewView = (tenant: Tenant, review: Review) => {
  const { digest, baseline, differences, decision } = review;
  const { verdict, actor, reason, at, digest: seen } = decision ?? {};
  return {
    ...summaryView(tenant, review),
    digest,
    ...(baseline === undefined ? {} : { baseline }),
    differences,
    ...(decision === undefined ? {} : { decision: { verdict, actor, reason, at, digest: seen } }),
  };
};
