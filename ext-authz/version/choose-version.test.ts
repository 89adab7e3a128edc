import { describe, expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { CallSession } from '#core/sealed-session.ts';
import type { ServerVersion } from '#core/server.ts';
import type { Tester, TrafficSplit } from '#core/traffic-split.ts';
import type { Place } from '#ext-authz/locate.ts';
import { chooseVersion, type VersionFacts } from '#ext-authz/version/choose-version.ts';

const w = (...weights: readonly (readonly [string, number])[]) =>
  weights.map(([version, weight]) => ({ version, weight }));

const split = (changes: Partial<TrafficSplit> = {}): TrafficSplit => ({
  weights: w(['1', 1]),
  tools: [],
  testers: [],
  steps: [],
  withdrawn: [],
  ...changes,
});

const place = (traffic?: TrafficSplit, activeVersion = '1'): Place =>
  ({
    tenant: { id: 'acme' },
    server: {
      id: 'tracker',
      activeVersion,
      versions: ['1', '2', '3'].map((version) => ({ version }) as ServerVersion),
      ...(traffic === undefined ? {} : { traffic }),
    },
  }) as unknown as Place;

const caller = (changes: Partial<Identity> = {}): Identity =>
  ({
    principal: 'ada',
    issuerId: 'home',
    relation: 'home',
    guest: false,
    groups: [],
    ...changes,
  }) as Identity;

const toolCall = (name: string): McpCall =>
  ({ method: 'tools/call', targets: [{ kind: 'tool', name }] }) as unknown as McpCall;

const LIST = { method: 'tools/list', targets: [], list: 'tools' } as unknown as McpCall;

const session = (version: string) => ({ version }) as CallSession;

const choose = (facts: Partial<VersionFacts>) => {
  const chosen = chooseVersion({
    place: place(),
    identity: caller(),
    call: LIST,
    headers: new Map(),
    session: undefined,
    nowMs: 0,
    ...facts,
  });
  return chosen.ok ? [chosen.value.version.version, chosen.value.because] : chosen.error.reason;
};

const forAda: Tester = { version: '2', principal: 'ada' };

describe('the order', () => {
  const everything = split({
    weights: w(['1', 1]),
    tools: [{ tool: 'list_issues', weights: w(['3', 1]) }],
    testers: [forAda],
  });

  it('is session, tester, tool, server', () => {
    const call = toolCall('list_issues');
    const bob = caller({ principal: 'bob' });
    expect(choose({ place: place(everything), call, session: session('3') })).toEqual(['3', 'session']);
    expect(choose({ place: place(everything), call })).toEqual(['2', 'tester']);
    expect(choose({ place: place(everything), call, identity: bob })).toEqual(['3', 'tool-weights']);
    expect(choose({ place: place(everything), identity: bob })).toEqual(['1', 'weights']);
  });

  it('without a split is session, active version', () => {
    expect(choose({ session: session('3') })).toEqual(['3', 'session']);
    expect(choose({ place: place(undefined, '2') })).toEqual(['2', 'active']);
    expect(choose({ place: place(undefined, '') })).toBe('version_unavailable');
  });
});

describe('what is withdrawn', () => {
  it('ends its sessions, so that clients begin new ones', () => {
    expect(choose({ place: place(split({ withdrawn: ['2'] })), session: session('2') })).toBe(
      'session_unknown',
    );
  });

  it('gets no call, even of a split that still names it', () => {
    const torn = split({ weights: w(['1', 1], ['2', 9_999]), testers: [forAda], withdrawn: ['2'] });
    expect(choose({ place: place(torn) })).toEqual(['1', 'weights']);
    expect(choose({ place: place({ ...torn, weights: w(['2', 1]) }) })).toBe('version_unavailable');
  });
});

describe('a tester', () => {
  const chosen = (tester: Tester, facts: Partial<VersionFacts>) =>
    choose({ place: place(split({ testers: [tester] })), ...facts });
  const header: Tester = { version: '2', header: { name: 'x-canary', value: 'yes' } };
  const headers = (...values: readonly string[]) => new Map([['x-canary', values]]);

  it.each([
    ['the value', ['yes'], '2'],
    ['the value with blanks around it', [' yes '], '2'],
    ['another value', ['YES'], '1'],
    ['the value twice', ['yes', 'yes'], '1'],
    ['the value and another', ['no', 'yes'], '1'],
    ['both in one line', ['yes, no'], '1'],
  ] as const)('by a header is known by its one exact value: %s', (_what, values, version) => {
    expect(chosen(header, { headers: headers(...values) })[0]).toBe(version);
  });

  it('by a group is a member of a home issuer, or of the issuer named', () => {
    const home: Tester = { version: '2', group: { id: 'testers' } };
    const partners: Tester = { version: '2', group: { id: 'testers', issuerId: 'partner' } };
    const groups = ['testers'];
    const partner = caller({ groups, issuerId: 'partner', relation: 'partner' });
    expect(chosen(home, { identity: caller({ groups }) })[0]).toBe('2');
    expect(chosen(home, { identity: caller({ groups: ['others'] }) })[0]).toBe('1');
    expect(chosen(home, { identity: caller({ groups, guest: true }) })[0]).toBe('1');
    expect(chosen(home, { identity: partner })[0]).toBe('1');
    expect(chosen(partners, { identity: partner })[0]).toBe('2');
  });
});

describe('one principal', () => {
  const half = place(
    split({ weights: w(['1', 1], ['2', 1]), tools: [{ tool: 'own', weights: w(['3', 1]) }] }),
  );
  const people = Array.from({ length: 200 }, (_, index) => caller({ principal: `p${index}` }));

  it('lists what he calls: one version for every call that no share of a tool decides', () => {
    for (const identity of people) {
      const listed = choose({ place: half, identity });
      expect(choose({ place: half, identity, call: toolCall('any') })).toEqual(listed);
      expect(choose({ place: half, identity, call: toolCall('own') })).toEqual(['3', 'tool-weights']);
    }
  });

  it('follows the steps of the clock', () => {
    const stepped = split({ steps: [{ at: '2030-01-01T00:00:00Z', weights: w(['2', 1]) }] });
    const at = Date.parse('2030-01-01T00:00:00Z');
    expect(choose({ place: place(stepped), nowMs: at - 1 })).toEqual(['1', 'weights']);
    expect(choose({ place: place(stepped), nowMs: at })).toEqual(['2', 'weights']);
  });
});
