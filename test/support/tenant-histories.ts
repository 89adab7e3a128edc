// Small random tenants and their histories, made by the real commands: few names, so that everything meets everything.

import fc from 'fast-check';
import type { Grant, GrantSubject } from '#core/grant.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import { ok } from '#core/result.ts';
import type { McpServer, ServerVersion } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { putGrant, removeGrant } from '#registry/commands/grant.ts';
import { putIssuer, removeIssuer } from '#registry/commands/issuer.ts';
import { putKillSwitch, removeKillSwitch } from '#registry/commands/kill-switch.ts';
import type { CheckUrl, Outcome } from '#registry/commands/outcome.ts';
import { putServer, removeServer, type ServerSettings, setServerState } from '#registry/commands/server.ts';
import { activateVersion, publishVersion } from '#registry/commands/server-version.ts';
import { putTenant } from '#registry/commands/tenant.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

export const anyUrl: CheckUrl = (url) => ok(new URL(url));

const TOOLS = ['create', 'read', 'remove'];
const TENANT = sampleTenant('acme', 1);

const first = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined) throw new Error('the sample has one');
  return item;
};

const SERVER = first(TENANT.servers);
const ISSUER = first(TENANT.issuers);
const VERSION = first(SERVER.versions);

export const HOME: TrustedIssuer = ISSUER;
export const PARTNER: TrustedIssuer = {
  ...ISSUER,
  id: 'partner',
  issuer: 'https://partner.example.com/{tenantid}/v2.0',
  relation: 'partner',
};

const subject: fc.Arbitrary<GrantSubject> = fc
  .record({
    kind: fc.constantFrom('group' as const, 'user' as const),
    id: fc.constantFrom('a', 'b'),
    issuerId: fc.constantFrom(undefined, 'home', 'partner'),
  })
  .map(({ issuerId, ...rest }) => (issuerId === undefined ? rest : { ...rest, issuerId }));

const serverId = fc.constantFrom('one', 'two');

export const grantArbitrary: fc.Arbitrary<Grant> = fc.record({
  id: fc.constantFrom('g1', 'g2', 'g3'),
  serverId,
  subjects: fc.array(subject, { minLength: 1, maxLength: 3 }),
  tools: fc.uniqueArray(fc.constantFrom('*', ...TOOLS), { minLength: 1, maxLength: 3 }),
  prompts: fc.uniqueArray(fc.constantFrom('*', 'p1', 'p2'), { maxLength: 2 }),
  resources: fc.constant([]),
});

const versionArbitrary: fc.Arbitrary<ServerVersion> = fc
  .record({
    version: fc.constantFrom('1', '2', '3'),
    tools: fc.subarray(TOOLS),
  })
  .map(({ version, tools }) => ({
    ...VERSION,
    version,
    tools: tools.map((name) => ({ ...first(VERSION.tools), name })),
  }));

const settingsArbitrary = (id: string): fc.Arbitrary<ServerSettings> =>
  fc
    .record({
      displayName: fc.constantFrom('x', 'y'),
      issuers: fc.subarray(['home', 'partner'], { minLength: 1 }),
    })
    .map(({ displayName, issuers }) => {
      const { id: _i, enabled: _e, activeVersion: _a, versions: _v, ...settings } = SERVER;
      const bindings = issuers.map((issuerId) => ({
        ...first(SERVER.bindings),
        issuerId,
        audiences: [`api://${id}`],
      }));
      return { ...settings, displayName, bindings, constraints: [] };
    });

const issuerArbitrary: fc.Arbitrary<TrustedIssuer> = fc
  .record({ issuer: fc.constantFrom(HOME, PARTNER), enabled: fc.boolean() })
  .map(({ issuer, enabled }) => ({ ...issuer, enabled }));

export type Command = (tenant: Tenant) => Outcome;

/** One change of a tenant; about one in three is refused, like in life. */
export const commandArbitrary: fc.Arbitrary<Command> = fc.oneof(
  grantArbitrary.map(
    (grant): Command =>
      (tenant) =>
        putGrant(tenant, grant),
  ),
  grantArbitrary.map(
    ({ id }): Command =>
      (tenant) =>
        removeGrant(tenant, id),
  ),
  serverId.chain((id) =>
    settingsArbitrary(id).map(
      (settings): Command =>
        (tenant) =>
          putServer(tenant, { id, settings }),
    ),
  ),
  serverId.map(
    (id): Command =>
      (tenant) =>
        removeServer(tenant, id),
  ),
  fc.tuple(serverId, fc.boolean()).map(
    ([id, enabled]): Command =>
      (tenant) =>
        setServerState(tenant, { id, enabled }),
  ),
  fc.constantFrom('one', 'two', 'three').map(
    (id): Command =>
      (tenant) =>
        putKillSwitch(tenant, { id, target: { kind: 'tenant' } }, 0),
  ),
  fc.constantFrom('one', 'two', 'three').map(
    (id): Command =>
      (tenant) =>
        removeKillSwitch(tenant, id),
  ),
  fc.tuple(serverId, versionArbitrary).map(
    ([id, version]): Command =>
      (tenant) =>
        publishVersion(tenant, { serverId: id, version }, anyUrl),
  ),
  fc.tuple(serverId, versionArbitrary).map(
    ([id, { version }]): Command =>
      (tenant) =>
        activateVersion(tenant, { serverId: id, version }, anyUrl),
  ),
  issuerArbitrary.map(
    (issuer): Command =>
      (tenant) =>
        putIssuer(tenant, issuer, anyUrl),
  ),
  fc.constantFrom('home', 'partner').map(
    (id): Command =>
      (tenant) =>
        removeIssuer(tenant, id),
  ),
  fc.constantFrom('Acme', 'Acme & Co').map(
    (displayName): Command =>
      (tenant) =>
        putTenant(tenant, {
          id: tenant.id,
          settings: { displayName, accessContact: '', allowedOrigins: [], fourEyes: false },
        }),
  ),
);

const version = (name: string, tools: readonly string[]): ServerVersion => ({
  ...VERSION,
  version: name,
  tools: tools.map((tool) => ({ ...first(VERSION.tools), name: tool })),
});

const server = (id: string): McpServer => ({
  ...SERVER,
  id,
  bindings: ['home', 'partner'].map((issuerId) => ({
    ...first(SERVER.bindings),
    issuerId,
    audiences: [`api://${id}`],
  })),
  constraints: [],
  activeVersion: '1',
  versions: [version('1', ['create', 'read']), version('2', ['read', 'remove'])],
});

/** Two issuers, two servers with two versions each, no grant. */
export const furnishedTenant: Tenant = {
  ...TENANT,
  issuers: [HOME, PARTNER],
  servers: [server('one'), server('two')],
  grants: [],
};

/** Every state of a tenant from the furnished one on, oldest first; its place in the list plus one is its revision. */
export const historyArbitrary: fc.Arbitrary<readonly Tenant[]> = fc
  .array(commandArbitrary, { minLength: 1, maxLength: 30 })
  .map((commands) => {
    const states: Tenant[] = [furnishedTenant];
    for (const command of commands) {
      const outcome = command(states.at(-1) ?? furnishedTenant);
      if (outcome.ok && outcome.value.changes.length > 0)
        states.push({ ...outcome.value.tenant, revision: states.length + 1 });
    }
    return states;
  });
