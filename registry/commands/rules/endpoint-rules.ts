// Where a server's versions may lead: hosts its admin named, one path, nothing in a URL but scheme, host and path.

import { servedVersions } from '#core/served-versions.ts';
import type { McpServer, ServerVersion } from '#core/server.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

/** `host` or `host:port` as a URL prints it: lower case, IPv6 in brackets, no default port of https. */
const isHost = (text: string): boolean =>
  URL.canParse(`https://${text}/`) && new URL(`https://${text}/`).host === text;

/** A bare host stands for the default port of the scheme; another port is another service and must be named. */
const isAllowedHost = (url: URL, allowedHosts: readonly string[]): boolean => allowedHosts.includes(url.host);

const judgeEndpoint = (server: McpServer, endpoint: string, pointer: string): Fault[] => {
  if (!URL.canParse(endpoint)) return [{ pointer, message: 'not an absolute URL' }];
  const url = new URL(endpoint);
  const messages: string[] = [];
  if (!/^https?:$/.test(url.protocol)) messages.push('the scheme must be http or https');
  if (url.username !== '' || url.password !== '') messages.push('credentials do not belong in a URL');
  if (/[?#]/.test(endpoint)) messages.push('an endpoint has no query and no fragment');
  if (!isAllowedHost(url, server.allowedHosts))
    messages.push(`host ${url.host} is not one of the server's allowedHosts`);
  return messages.map((message) => ({ pointer, message }));
};

const routeOf = (endpoint: string): string => {
  if (!URL.canParse(endpoint)) return '';
  const { protocol, pathname } = new URL(endpoint);
  return `${protocol}${pathname}`;
};

/** The endpoints of a version, with pointers into the version. */
export const judgeEndpoints = (server: McpServer, version: ServerVersion): Fault[] => [
  ...version.endpoints.flatMap((endpoint, index) => judgeEndpoint(server, endpoint, `/endpoints/${index}`)),
  ...(new Set(version.endpoints.map(routeOf)).size > 1
    ? [{ pointer: '/endpoints', message: 'replicas share one scheme and one path' }]
    : []),
];

const judgeServer = (server: McpServer): Fault[] => {
  const hosts = server.allowedHosts.flatMap((host, index) =>
    isHost(host)
      ? []
      : [{ pointer: `/allowedHosts/${index}`, message: 'expected host or host:port in lower case' }],
  );
  const outside = servedVersions(server).flatMap((served) =>
    judgeEndpoints(server, served).map(({ message }) => ({
      pointer: '/allowedHosts',
      message: `${served.version === server.activeVersion ? 'active ' : ''}version ${served.version}: ${message}`,
    })),
  );
  return [...hosts, ...outside];
};

/** Allowed hosts are well written, and the versions being served stay inside them. */
export const allowedHostsRule: Rule = eachServer(judgeServer);
