import { describe, expect, it } from 'vitest';
import { type Identity, principalKey } from '#core/identity.ts';
import {
  callerFacts,
  hasLapsed,
  type KillSwitch,
  type SwitchFacts,
  type SwitchTarget,
  takesIn,
} from '#core/kill-switch.ts';

const ISSUER = 'https://login.example.com/v2.0';
const alice = {
  issuerId: 'home',
  issuer: ISSUER,
  subject: 'pairwise-alice',
  tid: 'directory',
  oid: 'object-alice',
  app: 'cli',
  principal: principalKey({
    issuer: ISSUER,
    subject: 'pairwise-alice',
    tid: 'directory',
    oid: 'object-alice',
  }),
} as Identity;

const call: SwitchFacts = { serverId: 'tracker', tools: ['purge'], caller: callerFacts(alice) };

const thrown = (until?: string): KillSwitch => ({
  id: 's',
  target: { kind: 'tenant' },
  ...(until === undefined ? {} : { until }),
});

describe('hasLapsed', () => {
  const end = Date.parse('2026-01-31T12:00:00Z');

  it('is true from the very moment of `until`, and never without one', () => {
    expect(hasLapsed(thrown('2026-01-31T12:00:00Z'), end - 1)).toBe(false);
    expect(hasLapsed(thrown('2026-01-31T12:00:00Z'), end)).toBe(true);
    expect(hasLapsed(thrown(), Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it('keeps a switch whose end cannot be read', () => {
    expect(hasLapsed(thrown('2026-02-31T99:00:00Z'), Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe('takesIn', () => {
  it.each<[string, SwitchTarget]>([
    ['the tenant', { kind: 'tenant' }],
    ['the server', { kind: 'server', serverId: 'tracker' }],
    ['the tool', { kind: 'tool', serverId: 'tracker', tool: 'purge' }],
    ['the principal in full', { kind: 'principal', principal: alice.principal }],
    ['the object id', { kind: 'principal', id: 'object-alice' }],
    ['the subject of an issuer', { kind: 'principal', id: 'pairwise-alice', issuerId: 'home' }],
    ['the application', { kind: 'application', clientId: 'cli' }],
    ['the application of an issuer', { kind: 'application', clientId: 'cli', issuerId: 'home' }],
  ])('takes in a call by %s', (_name, target) => {
    expect(takesIn(target, call)).toBe(true);
  });

  it.each<[string, SwitchTarget]>([
    ['another server', { kind: 'server', serverId: 'reports' }],
    ['another tool', { kind: 'tool', serverId: 'tracker', tool: 'list' }],
    ['the same tool of another server', { kind: 'tool', serverId: 'reports', tool: 'purge' }],
    ['the same subject of another issuer', { kind: 'principal', id: 'object-alice', issuerId: 'partner' }],
    ['another principal', { kind: 'principal', principal: JSON.stringify([ISSUER, 'pairwise-alice']) }],
    ['the application as if it were a person', { kind: 'principal', id: 'cli' }],
    ['the same application of another issuer', { kind: 'application', clientId: 'cli', issuerId: 'partner' }],
    ['a person as if they were an application', { kind: 'application', clientId: 'object-alice' }],
  ])('leaves it alone for %s', (_name, target) => {
    expect(takesIn(target, call)).toBe(false);
  });

  it('finds whoever acts for the subject, as a person and as an application', () => {
    const facts = { ...call, caller: callerFacts({ ...alice, actor: 'agent' }) };
    expect(takesIn({ kind: 'application', clientId: 'agent' }, facts)).toBe(true);
    expect(takesIn({ kind: 'principal', id: 'agent' }, facts)).toBe(true);
  });

  it('says nothing by what is not known yet', () => {
    const place: SwitchFacts = { serverId: 'tracker' };
    expect(takesIn({ kind: 'tool', serverId: 'tracker', tool: 'purge' }, place)).toBe(false);
    expect(takesIn({ kind: 'principal', id: 'object-alice' }, place)).toBe(false);
    expect(takesIn({ kind: 'application', clientId: 'cli' }, place)).toBe(false);
  });

  it('takes a resumed stream for the answer of any tool of its server', () => {
    const resumed: SwitchFacts = { serverId: 'tracker', tools: [], resumes: true };
    expect(takesIn({ kind: 'tool', serverId: 'tracker', tool: 'purge' }, resumed)).toBe(true);
    expect(takesIn({ kind: 'tool', serverId: 'reports', tool: 'purge' }, resumed)).toBe(false);
  });
});
