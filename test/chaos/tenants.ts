// What the registry is given before the first call: two tenants with their servers and grants, and one nobody calls, whose
// resources are written all the time.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPLICATIONS, CONTOSO_TID, GROUPS } from '#demo/directory.ts';
import type { Operator } from '#test/chaos/operator.ts';
import {
  CLOSED_TOOL,
  OPEN_TOOLS,
  SERVERS,
  type Server,
  TENANTS,
  type Tenant,
  TOOLS,
} from '#test/chaos/people.ts';
import { dialled, type Places } from '#test/chaos/places.ts';

/** The tenant that is written to; nobody calls it. */
const LEDGER: Tenant = { id: 'ledger', issuerId: 'contoso', tid: CONTOSO_TID };
export const LEDGER_PATH = `/v1/tenants/${LEDGER.id}`;
/** One of its servers. */
export const LEDGER_SERVER = 'tracker';

const PROTOCOLS = ['2025-06-18', '2025-11-25', '2026-07-28'];

const VERSION = '1.0.0';

/** Secrets of a tenant's servers, as files. */
export const writeSecrets = ({ secretsDirectory }: Places): void => {
  for (const { id } of TENANTS) {
    mkdirSync(join(secretsDirectory, id), { mode: 0o700 });
    for (const { secretName } of SERVERS) {
      const secret = APPLICATIONS.find(({ name }) => name === secretName)?.secret ?? '';
      writeFileSync(join(secretsDirectory, id, secretName), secret, { mode: 0o600 });
    }
  }
};

const issuerOf = ({ ports, links }: Places, { tid }: Tenant): object => ({
  kind: 'entra',
  issuer: `http://127.0.0.1:${ports.idp}/{tenantid}/v2.0`,
  jwksUri: `http://${dialled(links['gateway-idp'])}/common/discovery/v2.0/keys`,
  tokenEndpoint: `http://${dialled(links['gateway-idp'])}/{tenantid}/oauth2/v2.0/token`,
  algorithms: ['RS256'],
  relation: 'home',
  directoryTenants: [tid],
  claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
  clockToleranceSeconds: 30,
  enabled: true,
});

const serverOf = (host: string, tenant: Tenant, server: Server): object => ({
  displayName: server.id,
  allowedHosts: [host],
  upstreamAuth: { mode: 'obo', scopes: [server.scope], appOnly: 'refuse' },
  bindings: [
    {
      issuerId: tenant.issuerId,
      audiences: [server.gatewayApplication],
      requiredScopes: ['tools.use'],
      oboApplication: { clientId: server.gatewayApplication, secretName: server.secretName },
    },
  ],
});

const versionOf = (host: string, tenant: Tenant, server: Server): object => ({
  endpoints: [`http://${host}/${tenant.id}/${server.id}`],
  transport: 'streamable-http',
  protocolVersions: PROTOCOLS,
  tools: TOOLS.map((name) => ({
    name,
    inputSchema: { type: 'object' },
    requiredScopes: [],
    tags: [],
    // What may be sent twice; of every other tool two arrivals of one call are a fault.
    idempotent: name === 'read',
  })),
});

/** Tools a caller is shown at any time. */
export const visibleTools = (mayErase: boolean): readonly string[] =>
  mayErase ? [...OPEN_TOOLS, CLOSED_TOOL] : OPEN_TOOLS;

type Create = (path: string, body: object, headers?: Readonly<Record<string, string>>) => Promise<void>;

const grantsOf = (server: Server): readonly (readonly [string, object])[] =>
  [
    { group: GROUPS.engineering, tools: visibleTools(true) },
    { group: GROUPS.support, tools: visibleTools(false) },
  ].map(({ group, tools }) => [
    `${group.name}-${server.id}`,
    {
      serverId: server.id,
      subjects: [{ kind: 'group', id: group.id }],
      tools,
      prompts: [],
      resources: [],
    },
  ]);

const bringServer = async (create: Create, places: Places, at: { tenant: Tenant; server: Server }) => {
  const { tenant, server } = at;
  const host = dialled(places.links['envoy-upstream']);
  const path = `/${tenant.id}/servers/${server.id}`;
  await create(path, serverOf(host, tenant, server));
  await create(`${path}/versions/${VERSION}`, versionOf(host, tenant, server));
  await create(`${path}/active-version`, { version: VERSION }, { 'if-match': '*' });
  for (const [id, grant] of grantsOf(server)) await create(`/${tenant.id}/grants/${id}`, grant);
};

/** @throws with what the registry said. */
export const bringTenants = async (operator: Operator, places: Places): Promise<void> => {
  const create: Create = async (path, body, headers = { 'if-none-match': '*' }) => {
    const answer = await operator('PUT', `/v1/tenants${path}`, body, headers);
    if (answer === 'lost' || answer.status >= 300)
      throw new Error(`PUT ${path}: ${answer === 'lost' ? answer : JSON.stringify(answer.body)}`);
  };
  for (const id of [...TENANTS.map((tenant) => tenant.id), LEDGER.id])
    await create(`/${id}`, { displayName: id, accessContact: `access@${id}.example`, fourEyes: false });
  await create(`/${LEDGER.id}/issuers/${LEDGER.issuerId}`, issuerOf(places, LEDGER));
  const host = dialled(places.links['envoy-upstream']);
  for (const server of SERVERS)
    await create(`/${LEDGER.id}/servers/${server.id}`, serverOf(host, LEDGER, server));
  for (const tenant of TENANTS) {
    await create(`/${tenant.id}/issuers/${tenant.issuerId}`, issuerOf(places, tenant));
    for (const server of SERVERS) await bringServer(create, places, { tenant, server });
  }
};
