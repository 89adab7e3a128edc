import { describe, expect, it } from 'vitest';
import { principalKey } from '#core/identity.ts';
import type { Tenant } from '#core/tenant.ts';
import {
  putKillSwitch,
  releases,
  removeKillSwitch,
  type SentSwitch,
} from '#registry/commands/kill-switch.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { removeServer } from '#registry/commands/server.ts';
import type { SentTarget } from '#registry/commands/switch-target.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const NOW_MS = Date.parse('2026-01-31T12:00:00Z');
const DIRECTORY = '11111111-1111-4111-8111-111111111111';
const TENANT: Tenant = { ...sampleTenant('acme', 7), grants: [], killSwitches: [] };

const accepted = (outcome: Outcome): Tenant => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.tenant;
};

const sent = (target: SentTarget, change: Partial<SentSwitch> = {}): SentSwitch => ({
  id: 's',
  target,
  ...change,
});

const put = (target: SentTarget, change: Partial<SentSwitch> = {}, before = TENANT): Outcome =>
  putKillSwitch(before, sent(target, change), NOW_MS);

const pointers = (outcome: Outcome): string[] => {
  if (outcome.ok) return [];
  expect(outcome.error.kind).toBe('invalid');
  return outcome.error.faults.map(({ pointer }) => pointer);
};

const KEY = principalKey({
  issuer: `https://login.example.com/${DIRECTORY}/v2.0`,
  subject: 's',
  tid: DIRECTORY,
  oid: 'object-mallory',
});

describe('putKillSwitch', () => {
  it.each<[string, SentTarget]>([
    ['a tenant', { kind: 'tenant' }],
    ['a server', { kind: 'server', serverId: 'tracker' }],
    ['a tool', { kind: 'tool', serverId: 'tracker', tool: 'create_issue' }],
    ['a principal as the decision log shows it', { kind: 'principal', principal: KEY }],
    ['a principal nobody has seen', { kind: 'principal', id: 'nobody', issuerId: 'home' }],
    ['a principal of whichever issuer', { kind: 'principal', id: 'nobody' }],
    ['an application nobody has seen', { kind: 'application', clientId: 'nobody', issuerId: 'home' }],
  ])('takes %s', (_name, target) => {
    const outcome = put(target, { note: 'why' });
    expect(accepted(outcome).killSwitches).toEqual([{ id: 's', target, note: 'why' }]);
    expect(outcome).toMatchObject({ value: { changes: ['kill-switches/s: created'] } });
  });

  it.each<[string, SentTarget, string[]]>([
    ['a server that is not there', { kind: 'server', serverId: 'traker' }, ['/target/serverId']],
    ['a tool of such a server', { kind: 'tool', serverId: 'traker', tool: 'x' }, ['/target/serverId']],
    ['a tool of no version', { kind: 'tool', serverId: 'tracker', tool: 'create_isue' }, ['/target/tool']],
    [
      'an issuer that is not there',
      { kind: 'principal', id: 'mallory', issuerId: 'hom' },
      ['/target/issuerId'],
    ],
    [
      'the issuer of an application',
      { kind: 'application', clientId: 'cli', issuerId: 'hom' },
      ['/target/issuerId'],
    ],
    ['a principal that is no key', { kind: 'principal', principal: 'mallory' }, ['/target/principal']],
    ['a principal of one part', { kind: 'principal', principal: '["mallory"]' }, ['/target/principal']],
    [
      'a principal of an issuer nobody trusts',
      { kind: 'principal', principal: '["https://evil.example","mallory"]' },
      ['/target/principal'],
    ],
    ['a server without its id', { kind: 'server' }, ['/target/serverId']],
    ['a tool without anything', { kind: 'tool' }, ['/target/serverId', '/target/tool']],
    ['a principal without a name', { kind: 'principal', issuerId: 'home' }, ['/target/id']],
    ['a principal with two names', { kind: 'principal', principal: KEY, id: 'mallory' }, ['/target/id']],
    [
      'a tenant with a field too many, which may have been meant',
      { kind: 'tenant', serverId: 'tracker' },
      ['/target/serverId'],
    ],
  ])('refuses %s', (_name, target, expected) => {
    expect(pointers(put(target))).toEqual(expected);
  });

  it.each([
    ['has passed', '2026-01-31T12:00:00Z'],
    ['is no day of the calendar', '2026-13-41T12:00:00Z'],
  ])('refuses an end that %s, beside what else is wrong', (_name, until) => {
    const outcome = put({ kind: 'server', serverId: 'traker' }, { until });
    expect(pointers(outcome)).toEqual(['/target/serverId', '/until']);
  });

  it('keeps ids in the form tokens have them: GUIDs in lower case, keys without blanks, other ids as they are', () => {
    const targets = [
      put({ kind: 'principal', id: 'AAAAAAAA-1111-4111-8111-111111111111' }),
      put({ kind: 'application', clientId: 'BBBBBBBB-1111-4111-8111-111111111111' }),
      put({ kind: 'application', clientId: 'Nightly' }),
      put({ kind: 'principal', principal: KEY.replaceAll(',', ', ') }),
    ].map((outcome) => accepted(outcome).killSwitches[0]?.target);
    expect(targets).toEqual([
      { kind: 'principal', id: 'aaaaaaaa-1111-4111-8111-111111111111' },
      { kind: 'application', clientId: 'bbbbbbbb-1111-4111-8111-111111111111' },
      { kind: 'application', clientId: 'Nightly' },
      { kind: 'principal', principal: KEY },
    ]);
  });

  it('stands in the way of nothing: its server can be removed, and the switch stays and can be prolonged', () => {
    const target: SentTarget = { kind: 'server', serverId: 'tracker' };
    const before = accepted(removeServer(accepted(put(target)), 'tracker'));
    expect(before.killSwitches).toHaveLength(1);
    const prolonged = put(target, { until: '2026-02-01T00:00:00Z' }, before);
    expect(accepted(prolonged).killSwitches).toMatchObject([{ until: '2026-02-01T00:00:00Z' }]);
    expect(pointers(put(target, { id: 'other' }, before))).toEqual(['/target/serverId']);
  });
});

describe('releases', () => {
  const target: SentTarget = { kind: 'server', serverId: 'tracker' };
  const [standing] = accepted(put(target, { until: '2026-02-01T00:00:00Z' })).killSwitches;
  if (standing === undefined) throw new Error('no switch');

  it.each<[string, boolean, SentSwitch]>([
    ['another target', true, sent({ kind: 'tenant' })],
    ['an earlier end', true, sent(target, { until: '2026-01-31T18:00:00Z' })],
    ['the same', false, sent(target, { until: '2026-02-01T00:00:00Z' })],
    ['a later end', false, sent(target, { until: '2026-02-02T00:00:00Z' })],
    ['no end', false, sent(target)],
    ['another note', false, sent(target, { until: '2026-02-01T00:00:00Z', note: 'why' })],
  ])('takes %s as it is: %s', (_name, expected, change) => {
    expect(releases(standing, change, NOW_MS)).toBe(expected);
  });

  it('finds nothing to release in a switch that has lapsed', () => {
    expect(releases(standing, sent({ kind: 'tenant' }), Date.parse('2026-02-01T00:00:00Z'))).toBe(false);
  });
});

describe('removeKillSwitch', () => {
  it('releases the one it names', () => {
    const outcome = removeKillSwitch(accepted(put({ kind: 'tenant' })), 's');
    expect(accepted(outcome).killSwitches).toEqual([]);
    expect(outcome).toMatchObject({ value: { changes: ['kill-switches/s: removed'] } });
  });

  it('says so where there is none', () => {
    expect(removeKillSwitch(TENANT, 's')).toMatchObject({ ok: false, error: { kind: 'not-found' } });
  });
});
