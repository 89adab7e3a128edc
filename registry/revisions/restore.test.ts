import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { err } from '#core/result.ts';
import { findVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { putGrant } from '#registry/commands/grant.ts';
import { putIssuer, removeIssuer } from '#registry/commands/issuer.ts';
import { putKillSwitch, removeKillSwitch } from '#registry/commands/kill-switch.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { settingsOf } from '#registry/commands/resources.ts';
import { putServer, removeServer, setServerState } from '#registry/commands/server.ts';
import { activateVersion, publishVersion } from '#registry/commands/server-version.ts';
import { requireConfirmed, reviewAccess } from '#registry/revisions/access-review.ts';
import { type RestoreRules, restoreRevision } from '#registry/revisions/restore.ts';
import { anyUrl, furnishedTenant, historyArbitrary, PARTNER } from '#test/support/tenant-histories.ts';

const accepted = (outcome: Outcome): Tenant => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value.tenant;
};

const GRANT = {
  id: 'g',
  serverId: 'one',
  subjects: [{ kind: 'group' as const, id: 'a' }],
  tools: ['*'],
  prompts: [],
  resources: [],
};

const PAST = accepted(putGrant(furnishedTenant, GRANT));
const RULES: RestoreRules = { checkUrl: anyUrl, judgeServed: () => [] };

const restored = (present: Tenant, past: Tenant | null = PAST, checkUrl = anyUrl): Outcome =>
  restoreRevision(present, { number: 4, tenant: past }, { ...RULES, checkUrl });

const messages = (outcome: Outcome): readonly string[] => {
  if (outcome.ok) return [];
  expect(outcome.error.kind).toBe('conflict');
  return outcome.error.faults.map(({ message }) => message);
};

const server = (tenant: Tenant, id = 'one') => {
  const found = findServer(tenant, id);
  if (found === undefined) throw new Error(`no server ${id}`);
  return found;
};

const withoutIssuer = (tenant: Tenant, issuerId: string): Tenant => {
  const servers = tenant.servers.map((one) => ({
    ...one,
    bindings: one.bindings.filter((binding) => binding.issuerId !== issuerId),
  }));
  return accepted(removeIssuer({ ...tenant, servers }, issuerId));
};

describe('a restored tenant', () => {
  it('has the settings, server settings, active versions and grants of then', () => {
    const { id: _i, enabled: _e, activeVersion: _a, versions: _v, ...settings } = server(PAST);
    let present = accepted(putServer(PAST, { id: 'one', settings: { ...settings, displayName: 'Other' } }));
    present = accepted(activateVersion(present, { serverId: 'one', version: '2' }, anyUrl));
    present = accepted(putGrant(present, { ...GRANT, tools: ['read'] }));
    present = accepted(putGrant(present, { ...GRANT, id: 'newer' }));
    present = { ...present, displayName: 'Other', maxStaleSeconds: 60 };
    expect(accepted(restored(present))).toEqual(PAST);
  });

  it('does not release a kill switch, whether it was thrown before or after', () => {
    const off = accepted(setServerState(PAST, { id: 'one', enabled: false }));
    expect(server(accepted(restored(off))).enabled).toBe(false);
    expect(server(accepted(restored(PAST, off))).enabled).toBe(true);
  });

  it('leaves every kill switch as it is now: thrown since, released since, with the end it has now', () => {
    const throwing = (tenant: Tenant, id: string, until?: string) => {
      const target = { kind: 'server', serverId: 'one' } as const;
      return accepted(putKillSwitch(tenant, { id, target, ...(until === undefined ? {} : { until }) }, 0));
    };
    const past = throwing(
      throwing({ ...PAST, killSwitches: [] }, 'released'),
      'kept',
      '2026-01-01T00:00:00Z',
    );
    const present = throwing(throwing(accepted(removeKillSwitch(past, 'released')), 'kept'), 'thrown');
    const after = accepted(restored(present, past));
    expect(after.killSwitches).toEqual(present.killSwitches);
    expect(after.killSwitches.map(({ id }) => id)).toEqual(['kept', 'thrown']);
  });

  it('brings a removed server back switched off', () => {
    const gone = accepted(removeServer({ ...PAST, grants: [] }, 'one'));
    const back = accepted(restored(gone));
    expect(server(back)).toEqual({ ...server(PAST), enabled: false });
    expect(back.grants).toEqual(PAST.grants);
  });

  it('keeps versions and servers made since, ungranted', () => {
    const published = {
      ...server(PAST).versions[0],
      version: '9',
    } as (typeof PAST.servers)[0]['versions'][0];
    let present = accepted(publishVersion(PAST, { serverId: 'one', version: published }, anyUrl));
    present = {
      ...present,
      servers: [...present.servers, { ...server(PAST), id: 'since', bindings: [] }],
      grants: [...present.grants, { ...GRANT, id: 'h', serverId: 'since' }],
    };
    const back = accepted(restored(present));
    expect(server(back).versions.map(({ version }) => version)).toEqual(['1', '2', '9']);
    expect(findServer(back, 'since')).toBeDefined();
    expect(back.grants).toEqual([GRANT]);
  });

  it('leaves issuers alone, disabled ones and new ones', () => {
    const present = accepted(putIssuer(PAST, { ...PARTNER, enabled: false }, anyUrl));
    expect(accepted(restored(present)).issuers).toEqual(present.issuers);
  });
});

describe('a restore is refused', () => {
  it('where an issuer is missing, naming every place that needs it', () => {
    const granted = { ...GRANT, subjects: [{ kind: 'group' as const, id: 'a', issuerId: 'partner' }] };
    const past = accepted(putGrant(furnishedTenant, granted));
    const outcome = restored(withoutIssuer({ ...past, grants: [] }, 'partner'), past);
    expect(messages(outcome).toSorted()).toEqual([
      'grants/g/subjects/0/issuerId: issuer partner does not exist',
      'servers/one/bindings/1/issuerId: issuer partner does not exist',
      'servers/two/bindings/1/issuerId: issuer partner does not exist',
    ]);
  });

  it.each([
    ['another address', { issuer: 'https://elsewhere.example.com/{tenantid}' }],
    ['other directories', { directoryTenants: ['22222222-2222-4222-8222-222222222222'] }],
  ])('where the id of an issuer has come to mean %s', (_name, changes) => {
    const granted = { ...GRANT, subjects: [{ kind: 'group' as const, id: 'a', issuerId: 'partner' }] };
    const past = accepted(putGrant(furnishedTenant, granted));
    const replaced = accepted(putIssuer({ ...past, grants: [] }, { ...PARTNER, ...changes }, anyUrl));
    expect(messages(restored(replaced, past))).toEqual([
      'issuers/partner: replaced since, and its callers would be given what others had',
    ]);
    // What it has been granted since it was replaced is its own.
    expect(restored({ ...replaced, grants: past.grants }, past).ok).toBe(true);
  });

  it('where a version was published anew with other content', () => {
    const gone = accepted(removeServer({ ...PAST, grants: [] }, 'one'));
    const [version] = server(PAST).versions;
    const anew = { ...server(PAST), versions: [{ ...version, tools: [] }], activeVersion: '' };
    const present = { ...gone, servers: [anew, ...gone.servers] } as Tenant;
    expect(messages(restored(present))).toEqual([
      'servers/one/versions/1: published anew since, with other content',
    ]);
  });

  it('where the version of then leads to what the egress rules have come to forbid', () => {
    const noUrl = () => err('the address belongs to a private network');
    const present = accepted(activateVersion(PAST, { serverId: 'one', version: '2' }, anyUrl));
    expect(messages(restored(present, PAST, noUrl))).toEqual([
      'servers/one/versions/1: the address belongs to a private network',
    ]);
    expect(restored(accepted(putGrant(PAST, { ...GRANT, id: 'h' })), PAST, noUrl).ok).toBe(true);
  });

  it('where the revision is the removal of the tenant', () => {
    expect(messages(restored(PAST, null))).toHaveLength(1);
  });
});

const expectProtected = (tenant: Tenant, present: Tenant): void => {
  expect(tenant.issuers).toEqual(present.issuers);
  expect(tenant.killSwitches).toEqual(present.killSwitches);
  for (const before of present.servers) {
    const after = server(tenant, before.id);
    expect(after.enabled).toBe(before.enabled);
    for (const version of before.versions) expect(findVersion(after, version.version)).toEqual(version);
  }
  const returned = tenant.servers.filter(({ id }) => findServer(present, id) === undefined);
  expect(returned.filter(({ enabled }) => enabled)).toEqual([]);
};

const expectBack = (tenant: Tenant, past: Tenant): void => {
  expect(tenant.grants).toEqual(past.grants);
  expect(settingsOf(tenant)).toEqual(settingsOf(past));
  for (const then of past.servers) {
    const { enabled: _e, versions, ...after } = server(tenant, then.id);
    expect(then).toMatchObject(after);
    expect(versions).toEqual(expect.arrayContaining([...then.versions]));
  }
};

describe('approval and a restore', () => {
  it('name what would be served again without being approved, beside all else that is in the way', () => {
    const present = accepted(activateVersion(PAST, { serverId: 'one', version: '2' }, anyUrl));
    const outcome = restoreRevision(
      present,
      { number: 4, tenant: PAST },
      {
        checkUrl: () => err('is not allowed'),
        judgeServed: (_after, served) =>
          served.map(({ serverId, version }) => ({ pointer: '', message: `${serverId} ${version.version}` })),
      },
    );
    expect(messages(outcome)).toEqual(['servers/one/versions/1: is not allowed', 'one 1']);
  });

  it('ask nobody about what is served already', () => {
    const judgeServed = () => [{ pointer: '', message: 'asked' }];
    expect(restoreRevision(PAST, { number: 4, tenant: PAST }, { ...RULES, judgeServed }).ok).toBe(true);
  });

  it('leave four eyes as they are where they are asked for, and ask for them where they were', () => {
    for (const [present, past] of [
      [true, false],
      [false, true],
    ]) {
      const after = accepted(
        restored({ ...PAST, fourEyes: present === true }, { ...PAST, fourEyes: past === true }),
      );
      expect(after.fourEyes).toBe(true);
    }
  });
});

describe('any restore in any history', () => {
  const settled = (states: readonly Tenant[], at: number) => {
    const past = states[at % states.length];
    const present = states.at(-1);
    if (past === undefined || present === undefined) throw new Error('a history has a state');
    return {
      past,
      present,
      outcome: restoreRevision(present, { number: past.revision, tenant: past }, RULES),
    };
  };

  it('switches nothing on, touches no issuer, loses no version, and is the past in all else', () => {
    let count = 0;
    fc.assert(
      fc.property(historyArbitrary, fc.nat(), (states, at) => {
        const { past, present, outcome } = settled(states, at);
        if (!outcome.ok) return;
        count += 1;
        expectProtected(outcome.value.tenant, present);
        expectBack(outcome.value.tenant, past);
      }),
      { numRuns: 300 },
    );
    expect(count).toBeGreaterThan(100);
  });

  it('done twice changes nothing the second time', () => {
    fc.assert(
      fc.property(historyArbitrary, fc.nat(), (states, at) => {
        const { past, outcome } = settled(states, at);
        if (!outcome.ok) return;
        const again = restoreRevision(outcome.value.tenant, { number: 1, tenant: past }, RULES);
        expect(again).toMatchObject({ ok: true, value: { changes: [] } });
      }),
    );
  });

  it('adds no access without its digest, and passes with it', () => {
    fc.assert(
      fc.property(historyArbitrary, fc.nat(), (states, at) => {
        const { present, outcome } = settled(states, at);
        if (!outcome.ok) return;
        const { digest, gained, loosened } = reviewAccess(present, outcome.value.tenant);
        expect(digest === undefined).toBe(gained.length + loosened.length === 0);
        expect(requireConfirmed(present, outcome, undefined).ok).toBe(digest === undefined);
        expect(requireConfirmed(present, outcome, digest)).toBe(outcome);
        if (digest !== undefined)
          expect(requireConfirmed(present, outcome, '0'.repeat(64))).toMatchObject({
            error: { kind: 'unconfirmed', details: { access: { digest } } },
          });
      }),
    );
  });
});
