// Unit tests of compensate.ts: what comes back, what nobody may touch, and what protects.

import { describe, expect, it } from 'vitest';
import { findServer, type Tenant } from '#core/tenant.ts';
import { putGrant, removeGrant } from '#registry/commands/grant.ts';
import { putIssuer } from '#registry/commands/issuer.ts';
import { putKillSwitch } from '#registry/commands/kill-switch.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { resourcesOf, settingsOf } from '#registry/commands/resources.ts';
import { putServer, removeServer, setServerState } from '#registry/commands/server.ts';
import { activateVersion, publishVersion } from '#registry/commands/server-version.ts';
import { putTenant } from '#registry/commands/tenant.ts';
import { compensateRevision } from '#registry/revisions/compensate.ts';
import { anyUrl, furnishedTenant, PARTNER } from '#test/support/tenant-histories.ts';

const NUMBER = 7;

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

const BEFORE = furnishedTenant;

/** Stamps after the revision: what it changed has its number, or that of somebody who came after it. */
const stampsOf = (after: Tenant, touched: readonly string[]) => {
  const old = resourcesOf(BEFORE);
  return Object.fromEntries(
    [...resourcesOf(after)].map(([name, resource]) => {
      const isChanged = JSON.stringify(old.get(name)) !== JSON.stringify(resource);
      return [name, touched.includes(name) ? NUMBER + 1 : isChanged ? NUMBER : 1];
    }),
  );
};

const compensate = (
  after: Tenant,
  { before = BEFORE, present = after, touched = [] as readonly string[] } = {},
) => {
  const stamps = stampsOf(present, touched);
  const outcome = compensateRevision({ tenant: present, stamps }, { number: NUMBER, before, after });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value;
};

const settings = (tenant: Tenant, changes: object) => {
  const server = findServer(tenant, 'one');
  if (server === undefined) throw new Error('no server');
  const { id: _i, enabled: _e, activeVersion: _a, versions: _v, ...rest } = server;
  return { id: 'one', settings: { ...rest, ...changes } };
};

const renamed = accepted(putServer(BEFORE, settings(BEFORE, { displayName: 'Renamed' })));

describe('compensateRevision()', () => {
  it('leaves four eyes that the revision asked for, beside all else it takes back', () => {
    const asked = { ...settingsOf(BEFORE), displayName: 'Careful', fourEyes: true };
    const { tenant, kept } = compensate(accepted(putTenant(BEFORE, { id: BEFORE.id, settings: asked })));
    expect(tenant).toMatchObject({ fourEyes: true, displayName: BEFORE.displayName });
    expect(kept).toEqual([{ resource: 'tenant', because: 'protected' }]);
  });

  it('puts back the server, the active version and the settings that the revision changed', () => {
    const moved = accepted(activateVersion(renamed, { serverId: 'one', version: '2' }, anyUrl));
    const { tenant, restored, kept } = compensate(moved);
    expect(findServer(tenant, 'one')).toEqual(findServer(BEFORE, 'one'));
    expect(restored).toEqual(['servers/one']);
    expect(kept).toEqual([]);
    const other = accepted(
      putTenant(BEFORE, { id: BEFORE.id, settings: { ...settingsOf(BEFORE), displayName: 'Other' } }),
    );
    expect(compensate(other)).toMatchObject({
      tenant: { displayName: BEFORE.displayName },
      restored: ['tenant'],
    });
  });

  it('leaves alone what somebody has touched since, and puts back the rest', () => {
    const after = accepted(putGrant(renamed, GRANT));
    const { tenant, restored, kept } = compensate(after, { touched: ['servers/one'] });
    expect(findServer(tenant, 'one')?.displayName).toBe('Renamed');
    expect(tenant.grants).toEqual(BEFORE.grants);
    expect(restored).toEqual(['grants/g']);
    expect(kept).toEqual([{ resource: 'servers/one', because: 'touched-since' }]);
  });

  it('leaves alone what was made since', () => {
    const present = accepted(putGrant(renamed, GRANT));
    const { tenant, restored } = compensate(renamed, { present, touched: ['grants/g'] });
    expect(tenant.grants).toEqual(present.grants);
    expect(restored).toEqual(['servers/one']);
  });

  it('switches nothing on, neither a server nor by a kill switch', () => {
    const off = accepted(setServerState(renamed, { id: 'one', enabled: false }));
    const thrown = accepted(putKillSwitch(off, { id: 'stop', target: { kind: 'tenant' } }, 0));
    const { tenant, restored, kept } = compensate(thrown);
    expect(findServer(tenant, 'one')).toMatchObject({
      enabled: false,
      displayName: BEFORE.servers[0]?.displayName,
    });
    expect(tenant.killSwitches).toEqual(thrown.killSwitches);
    expect(restored).toEqual([]);
    expect(kept.map(({ resource, because }) => `${resource} ${because}`)).toEqual([
      'kill-switches/stop protected',
      'servers/one protected',
    ]);
  });

  it('does not do without four eyes again', () => {
    const strict = { ...settingsOf(BEFORE), displayName: 'Other', fourEyes: true };
    const after = accepted(putTenant(BEFORE, { id: BEFORE.id, settings: strict }));
    const { tenant, kept } = compensate(after);
    expect(tenant).toMatchObject({ displayName: BEFORE.displayName, fourEyes: true });
    expect(kept).toEqual([{ resource: 'tenant', because: 'protected' }]);
  });

  it('switches off again what the revision switched on', () => {
    const before = accepted(setServerState(BEFORE, { id: 'one', enabled: false }));
    const { tenant } = compensate(BEFORE, { before, touched: [], present: BEFORE });
    expect(findServer(tenant, 'one')?.enabled).toBe(true);
    const stamps = { ...stampsOf(BEFORE, []), 'servers/one': NUMBER };
    const outcome = compensateRevision({ tenant: BEFORE, stamps }, { number: NUMBER, before, after: BEFORE });
    expect(outcome.ok && findServer(outcome.value.tenant, 'one')?.enabled).toBe(false);
  });

  it('leaves a response guard that the revision made stricter, and takes back one that it weakened', () => {
    const guarded = accepted(putServer(BEFORE, settings(BEFORE, { responseGuard: { results: 'report' } })));
    const stamps = { ...stampsOf(BEFORE, []), 'servers/one': NUMBER, tenant: NUMBER };
    const weak = { ...guarded, responseGuard: { drift: 'report' as const } };
    const undone = { number: NUMBER, before: weak, after: BEFORE };
    const outcome = compensateRevision({ tenant: BEFORE, stamps }, undone);
    expect(outcome.ok && outcome.value.tenant.responseGuard).toBeUndefined();
    expect(outcome.ok && outcome.value.kept).toEqual([
      { resource: 'servers/one', because: 'protected' },
      { resource: 'tenant', because: 'protected' },
    ]);
    expect(findServer(compensate(guarded).tenant, 'one')?.responseGuard).toBeUndefined();
  });

  it('brings a server that was removed back switched off', () => {
    const removed = accepted(removeServer(BEFORE, 'one'));
    const { tenant } = compensate(removed);
    expect(findServer(tenant, 'one')).toEqual({ ...findServer(BEFORE, 'one'), enabled: false });
  });

  it('leaves issuers and published versions as they are', () => {
    const issuer = { ...PARTNER, id: 'newcomer', issuer: 'https://new.example.com/{tenantid}/v2.0' };
    const trusted = accepted(putIssuer(renamed, issuer, anyUrl));
    const version = { ...(findServer(BEFORE, 'one')?.versions[0] as object), version: '9' };
    const after = accepted(publishVersion(trusted, { serverId: 'one', version: version as never }, anyUrl));
    const { tenant, kept } = compensate(after);
    expect(tenant.issuers).toEqual(after.issuers);
    expect(findServer(tenant, 'one')?.versions).toEqual(findServer(after, 'one')?.versions);
    expect(kept.map(({ resource }) => resource)).toContain('issuers/newcomer');
    expect(kept.map(({ resource }) => resource)).toContain('servers/one/versions/9');
  });

  it('gives nobody back what the revision took away', () => {
    const before = accepted(putGrant(BEFORE, GRANT));
    const after = accepted(removeGrant(before, 'g'));
    const { tenant, changes, kept } = compensate(after, { before });
    expect(tenant.grants).toEqual(after.grants);
    expect(changes).toEqual([]);
    expect(kept).toEqual([{ resource: 'grants/g', because: 'protected' }]);
  });
});
