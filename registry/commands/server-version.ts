// Publishes versions of a server and chooses the one that is served. What was published never changes: policy, pins
// and audit refer to a version by its name.

import { err } from '#core/result.ts';
import { isSameJson } from '#core/same-json.ts';
import { findVersion, type McpServer, type ServerVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { type CheckUrl, conflict, type Fault, notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem } from '#registry/commands/replace-by-id.ts';
import { versionName } from '#registry/commands/resources.ts';
import { judgeEndpoints } from '#registry/commands/rules/endpoint-rules.ts';
import { repeated } from '#registry/commands/rules/rule.ts';
import { settle } from '#registry/commands/settle.ts';
import { allTo, withTraffic } from '#registry/commands/with-traffic.ts';

const judgeTools = ({ tools }: ServerVersion): Fault[] =>
  repeated(tools.map((tool) => tool.name)).map((name) => ({
    pointer: '/tools',
    message: `two tools are named ${name}`,
  }));

const judgeEgress = ({ endpoints }: ServerVersion, checkUrl: CheckUrl): Fault[] =>
  endpoints.flatMap((endpoint, index) => {
    const checked = checkUrl(endpoint);
    return checked.ok ? [] : [{ pointer: `/endpoints/${index}`, message: checked.error }];
  });

/** Where a version leads, judged as of now, with pointers into the version: hosts may have been withdrawn since. */
export const judgeReplicas = (server: McpServer, version: ServerVersion, checkUrl: CheckUrl): Fault[] => [
  ...judgeEndpoints(server, version),
  ...judgeEgress(version, checkUrl),
];

const withServer = (tenant: Tenant, server: McpServer): Tenant => ({
  ...tenant,
  servers: withItem(tenant.servers, server),
});

const byName = (a: ServerVersion, b: ServerVersion): number => (a.version < b.version ? -1 : 1);

/**
 * Publishes `version`. The same version again changes nothing; another one under its name is a conflict.
 * It is not served until it is activated.
 */
export const publishVersion = (
  before: Tenant,
  command: { readonly serverId: string; readonly version: ServerVersion },
  checkUrl: CheckUrl,
): Outcome => {
  const { serverId, version } = command;
  const server = findServer(before, serverId);
  if (server === undefined) return err(notFound(`server ${serverId}`));
  const published = findVersion(server, version.version);
  if (published !== undefined && !isSameJson(published, version))
    return err(
      conflict(`version ${version.version} is published already and differs; publish a new version`),
    );
  const versions = published === undefined ? [...server.versions, version].toSorted(byName) : server.versions;
  return settle({
    before,
    after: withServer(before, { ...server, versions }),
    resource: versionName(serverId, version.version),
    faults:
      published === undefined ? [...judgeTools(version), ...judgeReplicas(server, version, checkUrl)] : [],
  });
};

/**
 * Makes a published version the one that is served: all calls go to it, and a split of them ends. Its endpoints are
 * judged again.
 */
export const activateVersion = (
  before: Tenant,
  command: { readonly serverId: string; readonly version: string },
  checkUrl: CheckUrl,
): Outcome => {
  const server = findServer(before, command.serverId);
  if (server === undefined) return err(notFound(`server ${command.serverId}`));
  const version = findVersion(server, command.version);
  const resource = `servers/${server.id}/active-version`;
  const refuse = (...messages: readonly string[]): Outcome =>
    settle({
      before,
      after: before,
      resource,
      faults: messages.map((message) => ({ pointer: '/version', message })),
    });
  if (version === undefined) return refuse(`version ${command.version} is not published`);
  if (server.traffic?.withdrawn.includes(command.version) === true)
    return refuse(`version ${command.version} is withdrawn: lift that in servers/${server.id}/traffic first`);
  const faults = judgeReplicas(server, version, checkUrl);
  if (faults.length > 0) return refuse(...faults.map(({ message }) => message));
  const active = { ...server, activeVersion: command.version };
  return settle({
    before,
    after: withServer(before, withTraffic(active, allTo(command.version, server.traffic))),
    resource,
  });
};
