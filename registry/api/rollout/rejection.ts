// The answer to a change that an Envoy refused: what it refused of this tenant, and what became of the change.

import { Type } from 'typebox';
import type { Problem } from '#registry/api/problem.ts';
import type { Compensation } from '#registry/api/rollout/compensate-change.ts';
import type { Refused, Rollout } from '#registry/rollout/assess.ts';

/** More of the same help nobody: every Envoy may refuse every resource. The rollout has them all. */
const MAX_REFUSALS = 50;

export type Refusal = Omit<Refused, 'broughtBy'> & { readonly nodeId: string };

/** What counts against the revision, Envoy by Envoy. */
export const refusalsOf = ({ consumers }: Rollout): readonly (Refusal & Pick<Refused, 'broughtBy'>)[] =>
  consumers
    .filter(({ state }) => state === 'rejected')
    .flatMap(({ nodes }) => nodes)
    .flatMap(({ nodeId, rejected }) => rejected.map((refused) => ({ nodeId, ...refused })))
    .filter(({ broughtBy }) => broughtBy !== 'another-revision');

/** Members of the problem document beside the usual ones. */
export const REJECTION_FIELDS = {
  rollout: Type.Optional(Type.String({ description: 'Path of the rollout of the refused revision' })),
  revision: Type.Optional(Type.Integer({ description: 'The revision that was committed and refused' })),
  rejected: Type.Optional(
    Type.Array(
      Type.Object({
        nodeId: Type.String(),
        typeUrl: Type.String(),
        resource: Type.String({ description: 'Name of the Envoy resource' }),
        message: Type.String({ description: "Envoy's reason, redacted" }),
      }),
    ),
  ),
  compensation: Type.Optional(
    Type.Object({
      revision: Type.Union([Type.Integer(), Type.Null()], {
        description: 'The revision that took the change back; null: nothing was taken back.',
      }),
      restored: Type.Array(Type.String(), { description: 'What is as it was before.' }),
      kept: Type.Array(
        Type.Object({
          resource: Type.String(),
          because: Type.Enum([
            'touched-since',
            'protected',
            'not-by-this-call',
            'not-alone',
            'whole-tenant',
            'conflict',
            'failed',
          ]),
        }),
        { description: 'What the revision changed and is left as it is.' },
      ),
    }),
  ),
};

/**
 * 409 and not 502: the Envoys work, and the same change sent again would be refused again. It is the sender's to mend,
 * and no proxy or client library may take it for a fault that passes.
 */
export const rejectionProblem = (facts: {
  readonly rollout: string;
  readonly revision: number;
  readonly refusals: readonly (Refusal & Pick<Refused, 'broughtBy'>)[];
  readonly compensation: Compensation;
}): Problem => {
  const { rollout, revision, refusals, compensation } = facts;
  const { restored, kept } = compensation;
  return {
    status: 409,
    code: 'rollout-rejected',
    detail:
      compensation.revision === null
        ? 'An Envoy refused the change. It stands as it was committed; the Envoy serves what it had.'
        : 'An Envoy refused the change. It was taken back as far as `compensation` says.',
    details: {
      rollout,
      revision,
      rejected: refusals
        .slice(0, MAX_REFUSALS)
        .map(({ nodeId, typeUrl, resource, message }) => ({ nodeId, typeUrl, resource, message })),
      compensation: {
        revision: compensation.revision,
        restored: [...restored],
        kept: kept.map((each) => ({ ...each })),
      },
    },
  };
};
