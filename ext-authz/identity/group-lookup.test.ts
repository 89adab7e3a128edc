// Unit tests of group-lookup.ts: waiting, and what a wait that was given up leaves behind. The rest is in
// test/integration/group-lookup.test.ts, where Graph and the tokens for it are real.
import { describe, expect, it } from 'vitest';
import { ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { GraphFault } from '#ext-authz/identity/graph-groups.ts';
import { createGroupLookups, type GroupQuestion } from '#ext-authz/identity/group-lookup.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ALICE } from '#test/support/policy-world.ts';
import { entraIssuer, HOME_TID, OID, testServer, testTenant } from '#test/support/token-issuer.ts';

const issuer = entraIssuer('x', {
  tokenEndpoint: 'https://login.example/{tenantid}/token',
  groupLookup: { clientId: 'reader', secretName: 'reader' },
});

const question = (changes: Partial<GroupQuestion> = {}): GroupQuestion => ({
  tenant: testTenant([issuer]),
  server: testServer([issuer]),
  target: { method: 'POST', url: 'https://gw.example/mcp/tracker' },
  issuer,
  identity: { ...ALICE, tid: HOME_TID, oid: OID, groups: undefined },
  assertion: new Secret('the-callers-own'),
  nowSeconds: 1_000,
  signal: new AbortController().signal,
  ...changes,
});

/** A Graph that answers when it is told to. */
const slowGraph = () => {
  const answer = Promise.withResolvers<Result<readonly string[], GraphFault>>();
  const asked = Promise.withResolvers<void>();
  const seen: { token: string; graphUrl: string; oid: string }[] = [];
  const lookups = createGroupLookups({
    broker: { acquireFor: async () => ok(new Secret('for-graph')) },
    graph: ({ token, graphUrl, oid }) => {
      seen.push({ token: token.reveal(), graphUrl, oid });
      asked.resolve();
      return answer.promise;
    },
    metrics: createMetrics('test'),
  });
  return { lookups, seen, asked: asked.promise, answer: answer.resolve };
};

describe('find()', () => {
  it('asks the public Graph with its own token where nothing else is set', async () => {
    const { lookups, seen, answer } = slowGraph();
    answer(ok(['a']));
    expect(await lookups.find(question())).toEqual(ok(['a']));
    expect(seen).toEqual([{ token: 'for-graph', graphUrl: 'https://graph.microsoft.com', oid: OID }]);
  });

  it('gives up at the deadline of one call, and has the answer for the next', async () => {
    const { lookups, seen, asked, answer } = slowGraph();
    const deadline = new AbortController();
    const first = lookups.find(question({ signal: deadline.signal }));
    await asked;
    deadline.abort();
    expect(await first).toMatchObject({ error: { reason: 'deadline_exceeded' } });
    const second = lookups.find(question());
    answer(ok(['a']));
    expect(await second).toEqual(ok(['a']));
    expect(await lookups.find(question())).toEqual(ok(['a']));
    expect(seen).toHaveLength(1);
  });

  it('asks anew for another person, directory, tenant or setting', async () => {
    const { lookups, seen, answer } = slowGraph();
    answer(ok(['a']));
    const base = question();
    const { identity, tenant } = base;
    const other = '99999999-9999-4999-8999-999999999999';
    for (const changes of [
      {},
      { identity: { ...identity, oid: other } },
      { identity: { ...identity, tid: other } },
      { identity: { ...identity, issuer: 'https://login.example/other' } },
      { tenant: { ...tenant, id: 'acme' } },
      { issuer: { ...issuer, groupLookup: { clientId: 'reader', secretName: 'another' } } },
      { issuer: { ...issuer, groupLookup: { clientId: 'another', secretName: 'reader' } } },
      { issuer: { ...issuer, tokenEndpoint: 'https://login.example/token' } },
    ])
      await lookups.find({ ...base, ...changes });
    expect(seen).toHaveLength(8);
  });

  it.each([
    ['no directory', { identity: { ...ALICE, oid: OID, groups: undefined, tid: 'x/../y' } }],
    ['no object id', { identity: { ...ALICE, tid: HOME_TID, groups: undefined, oid: 'me' } }],
    ['no token endpoint', { issuer: entraIssuer('x', { groupLookup: { clientId: 'r', secretName: 'r' } }) }],
  ])('asks nobody with %s', async (_title, changes) => {
    const { lookups, seen } = slowGraph();
    expect(await lookups.find(question(changes))).toMatchObject({
      error: { reason: 'groups_lookup_refused' },
    });
    expect(seen).toEqual([]);
  });
});
