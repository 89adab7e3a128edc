// A version's endpoint URLs as Envoy needs them: one path for all, host and port of each. Resolves nothing.

import type { RetryBudget } from '#core/adaptive-settings.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { McpServer, ServerVersion, Transport } from '#core/server.ts';
import type { Placement, UpstreamSettings } from '#core/upstream-settings.ts';
import { type SecretRef, secretsOf } from '#xds-server/translate/secrets.ts';

export type UpstreamEndpoint = {
  /** As registered; the key its addresses are looked up by. */
  readonly url: string;
  /** `host[:port]` as the `Host` header carries it: the default port is left out. */
  readonly authority: string;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Undefined: as any other. */
  readonly placement: Placement | undefined;
};

export type Upstream = {
  /** Path the upstream is called at. */
  readonly path: string;
  readonly endpoints: readonly UpstreamEndpoint[];
  readonly transport: Transport;
  /** What the admin set for all versions of the server. */
  readonly settings: UpstreamSettings;
  /** Undefined: a number of retries at once bounds them, whatever else is in flight. */
  readonly retryBudget: RetryBudget | undefined;
  /** Secrets the settings name. */
  readonly secrets: readonly SecretRef[];
};

const endpointFromUrl = (
  url: URL,
  written: string,
  { placement = [] }: UpstreamSettings,
): UpstreamEndpoint => {
  const tls = url.protocol === 'https:';
  return {
    url: written,
    authority: url.host,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (tls ? 443 : 80) : Number(url.port),
    tls,
    placement: placement.find(({ host }) => host === url.host),
  };
};

const judge = (url: URL): string | undefined => {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'an endpoint is neither https nor http';
  if (url.username !== '' || url.password !== '') return 'an endpoint carries credentials';
  // A query would have to be merged with the client's, and could be overridden by it.
  return url.search === '' && url.hash === '' ? undefined : 'an endpoint carries a query or a fragment';
};

/** The upstream of a version of a tenant's server; the error is a sentence without the URL. */
export const parseUpstream = (
  tenantId: string,
  server: McpServer,
  version: ServerVersion,
): Result<Upstream, string> => {
  const { upstream: settings = {} } = server;
  const endpoints: UpstreamEndpoint[] = [];
  const paths = new Set<string>();
  for (const written of version.endpoints) {
    if (!URL.canParse(written)) return err('an endpoint is not a URL');
    const url = new URL(written);
    const fault = judge(url);
    if (fault !== undefined) return err(fault);
    paths.add(url.pathname);
    endpoints.push(endpointFromUrl(url, written, settings));
  }
  const [path, ...others] = paths;
  if (path === undefined) return err('there is no endpoint');
  if (others.length > 0) return err('the endpoints differ in their paths');
  const { transport } = version;
  return ok({
    path,
    endpoints,
    transport,
    settings,
    retryBudget: server.adaptive?.retries?.budgetPercent,
    secrets: secretsOf(tenantId, server),
  });
};
