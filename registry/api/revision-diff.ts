// /v1/tenants/{tenant}/revisions/{number}/diff: what a revision changed, or what changed between two.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Tenant } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { RevisionParams } from '#registry/api/history.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, sendProblem, sendRead } from '#registry/api/request-facts.ts';
import { readResponses } from '#registry/api/response-schema.ts';
import { ResourceDiffSchema } from '#registry/api/revision-schema.ts';
import { ReadHeaders } from '#registry/api/route-schema.ts';
import { diffTenants } from '#registry/revisions/tenant-diff.ts';
import type { Store } from '#registry/store/store.ts';

const CURRENT = 'current';

const DiffQuery = Type.Object(
  {
    to: Type.Optional(
      // Not a union: its refusal would list what each half had wanted.
      Type.Unsafe<number | 'current'>({
        type: ['integer', 'string'],
        minimum: 1,
        pattern: '^current$',
        description:
          'What the revision is compared with: another one, or `current`, the present. Absent: the revision is compared with the one before it.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** A tenant at a revision. Number 0 is before the first one. */
type State = { readonly number: number; readonly tenant: Tenant | null };

const findState = async (
  store: Store,
  tenantId: string,
  at: number | 'current',
): Promise<State | undefined> => {
  if (at === 0) return { number: 0, tenant: null };
  if (at !== CURRENT) return store.findRevision(tenantId, at);
  const stored = await store.findTenant(tenantId);
  return stored === undefined ? undefined : { number: stored.tenant.revision, tenant: stored.tenant };
};

/** The two states a request is about, the former first. */
const endsOf = (request: FastifyRequest): readonly [number, number | 'current'] => {
  const number = Number(paramsOf(request).number);
  const { to } = request.query as { readonly to?: number | 'current' };
  return to === undefined ? [number - 1, number] : [number, to];
};

export const registerRevisionDiff = (app: FastifyInstance, { store }: ApiContext): void => {
  app.get('/v1/tenants/:tenant/revisions/:number/diff', {
    config: { access: 'read' },
    schema: {
      summary: 'Read what a revision changed, or what differs between two states of a tenant',
      description:
        'The ETag is that of the state compared with: with `to=current`, what a restore sends as If-Match.',
      tags: ['history'],
      params: RevisionParams,
      headers: ReadHeaders,
      querystring: DiffQuery,
      response: readResponses(
        Type.Object({
          from: Type.Integer({ description: 'Number of the former revision; 0: before the first.' }),
          to: Type.Integer({ description: 'Number of the latter revision.' }),
          resources: Type.Array(ResourceDiffSchema),
        }),
      ),
    },
    handler: async (request, reply) => {
      const { tenant } = paramsOf(request);
      const [from, to] = endsOf(request);
      const [before, after] = [await findState(store, tenant, from), await findState(store, tenant, to)];
      if (before === undefined || after === undefined) return sendProblem(reply, noSuchResource);
      const resources = diffTenants(before.tenant, after.tenant);
      const { number: revision } = after;
      return sendRead(reply, { revision, body: { from: before.number, to: revision, resources } });
    },
  });
};
