// Where everything of the world is: a directory, free ports, and one named link for each pair of processes that speak to each
// other. Who dials and who listens are told different places, so that a proxy can stand between any two of them.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '#runtime/address.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

/** Links over TCP. `gateway-idp` is every ext-authz to the identity provider: what it is told comes from the registry. */
const TCP_LINKS = [
  'client-envoy',
  'envoy-upstream',
  'gateway-idp',
  'registry-idp',
  'operator-registry',
  'registry-postgres',
  'ext-authz-redis',
  'ext-authz-2-redis',
] as const;

/** Links over Unix sockets; the last four are the feed of the registry. */
const UNIX_LINKS = [
  'envoy-xds-server',
  'envoy-ext-authz',
  'envoy-ext-authz-2',
  'envoy-ext-proc',
  'xds-server-registry',
  'ext-authz-registry',
  'ext-authz-2-registry',
  'ext-proc-registry',
] as const;

/** Every link, `<who dials>-<who listens>`. */
export const LINKS = [...TCP_LINKS, ...UNIX_LINKS] as const;
export type LinkName = (typeof LINKS)[number];

/** `at`: what the one that dials is told; `target`: where the other one listens. */
export type Link = { readonly name: LinkName; readonly at: Address; readonly target: Address };

/** Ports of those that listen. */
export type Ports = Readonly<
  Record<'gateway' | 'envoyAdmin' | 'registry' | 'idp' | 'upstream' | 'postgres' | 'redis', number>
>;

export type Places = {
  readonly directory: string;
  /** MCPGW_RUNTIME_DIR of all but Envoy, whose own holds what it dials. */
  readonly runDirectory: string;
  readonly envoyRunDirectory: string;
  readonly stateDirectory: string;
  readonly secretsDirectory: string;
  readonly logsDirectory: string;
  readonly ports: Ports;
  readonly links: Readonly<Record<LinkName, Link>>;
};

const LISTENERS = {
  'client-envoy': 'gateway',
  'envoy-upstream': 'upstream',
  'gateway-idp': 'idp',
  'registry-idp': 'idp',
  'operator-registry': 'registry',
  'registry-postgres': 'postgres',
  'ext-authz-redis': 'redis',
  'ext-authz-2-redis': 'redis',
} as const satisfies Record<(typeof TCP_LINKS)[number], keyof Ports>;

const loopback = (port: number): Address => ({ kind: 'tcp', host: '127.0.0.1', port });

const tcpLinks = (ports: Ports, proxied: readonly number[]): readonly Link[] =>
  TCP_LINKS.map((name, index) => {
    const target = ports[LISTENERS[name]];
    return { name, at: loopback(proxied[index] ?? target), target: loopback(target) };
  });

const unixLinks = (directory: string): readonly Link[] =>
  UNIX_LINKS.map((name) => {
    const isFeed = name.endsWith('-registry');
    const socket = isFeed ? 'registry-feed' : name.slice('envoy-'.length);
    const at = isFeed ? join(directory, 'f', `${name}.sock`) : join(directory, 'e', `${socket}.sock`);
    const target = join(directory, 'r', `${socket}.sock`);
    return { name, at: { kind: 'unix', path: at }, target: { kind: 'unix', path: target } };
  });

const takePorts = async (): Promise<{ readonly ports: Ports; readonly spare: readonly number[] }> => {
  const [
    gateway = 0,
    envoyAdmin = 0,
    registry = 0,
    idp = 0,
    upstream = 0,
    postgres = 0,
    redis = 0,
    ...spare
  ] = await findFreePorts(7 + TCP_LINKS.length);
  return { ports: { gateway, envoyAdmin, registry, idp, upstream, postgres, redis }, spare };
};

/**
 * Makes the directory and finds ports.
 * @param proxied whether something stands on each link; without, who dials over TCP is told the listener's own port.
 */
export const makePlaces = async (proxied: boolean): Promise<Places> => {
  const directory = mkdtempSync(join(tmpdir(), 'chaos-'));
  const { ports, spare } = await takePorts();
  const at = (name: string): string => join(directory, name);
  for (const name of ['r', 'e', 'f', 'state', 'secrets', 'logs', 'data'])
    mkdirSync(at(name), { mode: 0o700 });
  const links = [...tcpLinks(ports, proxied ? spare : []), ...unixLinks(directory)];
  return {
    directory,
    runDirectory: at('r'),
    envoyRunDirectory: at('e'),
    stateDirectory: at('state'),
    secretsDirectory: at('secrets'),
    logsDirectory: at('logs'),
    ports,
    links: Object.fromEntries(links.map((link) => [link.name, link])) as Places['links'],
  };
};

/** `127.0.0.1:port` of a TCP link as the one that dials sees it. */
export const dialled = ({ at }: Link): string => (at.kind === 'tcp' ? `${at.host}:${at.port}` : at.path);
