import { describe, expect, it } from 'vitest';
import { principalKey } from '#core/identity.ts';
import type { ServerVersion } from '#core/server.ts';
import { type Asked, decide, makeDecision } from '#registry/approval/decide.ts';
import { definitionOf } from '#registry/approval/definition.ts';
import { NO_PINS } from '#registry/approval/pins.ts';
import type { Decision, Submission } from '#registry/approval/records.ts';
import { type ReviewFacts, reviewVersion } from '#registry/approval/review.ts';
import { judgeServing } from '#registry/approval/serve.ts';
import { pinsAfter } from '#test/support/pins-after.ts';

const version = (name: string, changes: Partial<ServerVersion> = {}): ServerVersion => ({
  version: name,
  endpoints: ['https://tracker.example.com/mcp'],
  transport: 'streamable-http',
  protocolVersions: ['2025-11-25'],
  tools: [
    {
      name: 'list_issues',
      description: 'Lists issues.',
      inputSchema: { type: 'object' },
      requiredScopes: [],
      tags: [],
      idempotent: true,
    },
  ],
  ...changes,
});

const V1 = version('1.0.0');
const V2 = version('2.0.0', { endpoints: ['https://other.example.com/mcp'] });
const PROSE = version('1.1.0', {
  tools: V1.tools.map((tool) => ({ ...tool, description: 'Lists all issues.' })),
});
const PINS = pinsAfter(NO_PINS, definitionOf(V1, {}), '1.0.0');

const AT = '2026-01-01T00:00:00.000Z';
const PERSON = { subject: 's', tid: 't1', oid: 'o1' };

const submission = (changes: Partial<Submission> = {}): Submission => ({
  serverId: 'tracker',
  version: '2.0.0',
  actor: 'ada',
  at: AT,
  requests: {},
  ...changes,
});

const MANIFEST = submission({
  actor: 'publisher:team#k1',
  signer: { publisherId: 'team', kid: 'k1' },
  requests: { health: { path: '/h' } },
});

const facts = (changes: Partial<ReviewFacts> = {}): ReviewFacts => ({
  tenantId: 'acme',
  fourEyes: true,
  serverId: 'tracker',
  pins: PINS,
  submissions: [submission()],
  decisions: [],
  keyRegistrations: [],
  ...changes,
});

const review = (changes: Partial<ReviewFacts> = {}, candidate = V2) =>
  reviewVersion(facts(changes), candidate);

const by = (actor: string) => ({ actor, reason: 'seen', at: AT });

const ask = (seen: ReturnType<typeof review>, changes: Partial<Asked> = {}): Asked => ({
  verdict: 'approved',
  digest: seen.digest,
  isServed: false,
  ...changes,
});

const decided = (verdict: Decision['verdict'], candidate = V2, actor = 'bob'): Decision => {
  const { decision } = makeDecision(review({}, candidate), verdict, by(actor));
  return decision;
};

describe('a review', () => {
  it.each([
    ['waiting', review()],
    ['not-needed', review({}, PROSE)],
    ['approved', review({ decisions: [decided('approved')] })],
    ['rejected', review({ decisions: [decided('rejected'), decided('approved')] })],
    ['not-needed', review({ decisions: [decided('passed')] })],
  ])('is %s', (state, seen) => {
    expect(seen.state).toBe(state);
  });

  it('knows no decision about other content under the same name', () => {
    const other = version('2.0.0', { endpoints: ['https://third.example.com/mcp'] });
    expect(review({ decisions: [decided('approved')] }, other).state).toBe('waiting');
  });

  it('compares what the manifest asked for as well', () => {
    const seen = review({ submissions: [{ ...MANIFEST, version: '1.0.0' }] }, V1);
    expect(seen.differences).toMatchObject([{ kind: 'health', pointer: '/health', needsApproval: true }]);
  });

  it('has a digest of all that it rests on', () => {
    const moved = pinsAfter(PINS, definitionOf(PROSE, {}), '1.1.0');
    const digests = [
      review(),
      review({ tenantId: 'beta' }),
      review({ serverId: 'reports' }),
      review({}, { ...V2, version: '2.0.1' }),
      review({ pins: moved }),
      review({ pins: NO_PINS }),
      review({}, version('2.0.0')),
    ].map(({ digest }) => digest);
    expect(new Set(digests).size).toBe(digests.length);
    expect(review({ fourEyes: false, submissions: [], decisions: [decided('passed')] }).digest).toBe(
      digests[0],
    );
  });

  it('names who registered the keys it is signed with, and no others', () => {
    const registration = (kid: string, actor: string) => ({ publisherId: 'team', kid, actor, at: AT });
    const seen = review({
      submissions: [MANIFEST],
      keyRegistrations: [registration('k1', 'eve'), registration('k2', 'bob')],
    });
    expect(seen.keyRegistrations).toMatchObject([{ actor: 'eve' }]);
  });
});

describe('a decision', () => {
  it('approves what was seen, and pins it', () => {
    const seen = review();
    const made = decide(seen, ask(seen), by('bob'));
    expect(made).toMatchObject({
      ok: true,
      value: {
        decision: { verdict: 'approved', actor: 'bob', digest: seen.digest },
        pinned: seen.definition,
      },
    });
  });

  it('rejects without pinning anything', () => {
    const seen = review();
    const made = decide(seen, ask(seen, { verdict: 'rejected' }), by('ada'));
    expect(made).toMatchObject({ ok: true, value: { decision: { verdict: 'rejected' } } });
    expect(made).not.toHaveProperty('value.pinned');
  });

  it('is refused about what has moved', () => {
    const seen = review();
    const moved = review({ pins: pinsAfter(PINS, definitionOf(PROSE, {}), '1.1.0') });
    expect(decide(moved, ask(seen), by('bob'))).toEqual({ ok: false, error: 'approval-digest-mismatch' });
  });

  const keys = [{ publisherId: 'team', kid: 'k1', actor: 'eve', at: AT }];

  it.each<[string, Partial<ReviewFacts>, string, string]>([
    ['the admin who published it', {}, 'ada', 'approver-is-author'],
    ['one of two who published it', { submissions: [MANIFEST, submission()] }, 'ada', 'approver-is-author'],
    [
      'whoever registered the key of its signature',
      { submissions: [MANIFEST], keyRegistrations: keys },
      'eve',
      'approver-is-author',
    ],
    [
      'its author with a token of the other version',
      {
        submissions: [
          submission({ ...MANIFEST, actor: principalKey({ ...PERSON, issuer: 'https://a.example' }) }),
        ],
      },
      principalKey({ ...PERSON, issuer: 'https://b.example' }),
      'approver-is-author',
    ],
    ['anybody, if nobody knows whose it is', { submissions: [] }, 'bob', 'author-unknown'],
  ])('is not made by %s', (_name, changes, actor, error) => {
    const seen = review(changes);
    expect(decide(seen, ask(seen), by(actor))).toEqual({ ok: false, error });
    const open = review({ ...changes, fourEyes: false });
    expect(decide(open, ask(open), by(actor)).ok).toBe(true);
  });

  it('does not reject what is served', () => {
    const seen = review();
    const asked = ask(seen, { verdict: 'rejected', isServed: true });
    expect(decide(seen, asked, by('bob'))).toEqual({ ok: false, error: 'version-in-service' });
  });

  it('sent twice is one decision, also where the pins have moved by it', () => {
    const seen = review();
    const after = review({
      pins: pinsAfter(PINS, seen.definition, '2.0.0'),
      decisions: [decided('approved')],
    });
    expect(after.digest).not.toBe(seen.digest);
    expect(decide(after, ask(seen), by('bob'))).toEqual({ ok: true, value: undefined });
    expect(decide(after, ask(seen, { verdict: 'rejected' }), by('bob')).ok).toBe(false);
  });
});

describe('putting a version into service', () => {
  const serve = (
    changes: Partial<ReviewFacts>,
    { candidate = V2, manner = 'activated' as 'activated' | 'brought-back', actor = 'ada' } = {},
  ) =>
    judgeServing(review(changes, candidate), by(actor), manner)?.map(({ decision, pinned }) => ({
      verdict: String(decision.verdict),
      isPinned: pinned !== undefined,
    }));

  const passed = [{ verdict: 'passed', isPinned: false }];
  const approved = [{ verdict: 'approved', isPinned: true }];

  it.each<[string, Parameters<typeof serve>, ReturnType<typeof serve>]>([
    ['waits', [{}], undefined],
    ['passes with prose, and is remembered', [{}, { candidate: PROSE }], passed],
    ['passes once it passed, whatever is pinned since', [{ decisions: [decided('passed')] }], []],
    ['passes once it is approved', [{ decisions: [decided('approved')] }], []],
    ['is refused once it is rejected', [{ decisions: [decided('rejected')] }], undefined],
    ['is an approval of own work without four eyes', [{ fourEyes: false }], approved],
    ['is none of the work of another', [{ fourEyes: false }, { actor: 'bob' }], undefined],
    ['is none of a manifest', [{ fourEyes: false, submissions: [MANIFEST] }], undefined],
    [
      'is none where another published under the same name before',
      [{ fourEyes: false, submissions: [submission(), submission({ actor: 'bob' })] }],
      undefined,
    ],
    ['is none of what nobody published', [{ fourEyes: false, submissions: [] }], undefined],
    ['is none of what was rejected', [{ fourEyes: false, decisions: [decided('rejected')] }], undefined],
    ['is none as part of a restore', [{ fourEyes: false }, { manner: 'brought-back' }], undefined],
  ])('%s', (_name, given, expected) => {
    expect(serve(...given)).toEqual(expected);
  });
});
