import { describe, expect, it } from 'vitest';
import { APPLICATIONS, DIRECTORIES } from '#demo/directory.ts';
import { buildSeedWorld } from '#demo/seed-world.ts';

const world = buildSeedWorld({
  providerOrigin: 'http://127.0.0.1:9000',
  trackerPort: 9101,
  reportsPort: 9102,
});

describe('the sample world', () => {
  it('names only applications and groups the identity provider has', () => {
    const clients = APPLICATIONS.map(({ clientId }) => clientId);
    const groups = DIRECTORIES.flatMap(({ users }) =>
      users.flatMap((user) => user.groups.map(({ id }) => id)),
    );
    const bindings = world.servers.flatMap(({ settings }) => settings.bindings);
    expect(clients).toEqual(
      expect.arrayContaining(bindings.flatMap((binding) => binding.oboApplication?.clientId ?? [])),
    );
    expect(clients).toEqual(expect.arrayContaining(bindings.flatMap(({ audiences }) => audiences)));
    const constraints = world.servers.flatMap(({ settings }) => settings.constraints);
    expect(groups).toEqual(expect.arrayContaining(constraints.flatMap(({ exceptGroups }) => exceptGroups)));
    for (const { id, kind } of world.grants.flatMap(({ subjects }) => subjects))
      expect(kind === 'application' ? clients : groups).toContain(id);
  });

  it('grants only tools that exist', () => {
    for (const { serverId, tools } of world.grants) {
      const server = world.servers.find(({ id }) => id === serverId);
      const known = ['*', ...(server?.version.tools ?? []).map(({ name }) => name)];
      expect(known).toEqual(expect.arrayContaining([...tools]));
    }
  });

  it('asks each application only for resources it has consent for', () => {
    for (const { settings } of world.servers) {
      const uri = settings.upstreamAuth.scopes[0]?.replace('/.default', '');
      const resource = APPLICATIONS.find(({ identifierUri }) => identifierUri === uri);
      const clientId = settings.bindings[0]?.oboApplication?.clientId;
      const gateway = APPLICATIONS.find((application) => application.clientId === clientId);
      expect(gateway?.consentedResources).toContain(resource?.clientId);
    }
  });

  it('grants partners nothing by a subject without an issuer', () => {
    const partner = DIRECTORIES.find(({ name }) => name === 'fabrikam');
    const groups = (partner?.users ?? []).flatMap((user) => user.groups.map(({ id }) => id));
    const subjects = world.grants.flatMap((grant) => grant.subjects).filter(({ id }) => groups.includes(id));
    expect(subjects.map(({ issuerId }) => issuerId)).toEqual(['fabrikam']);
  });
});
