// Every translation as a file: input.json in, one file for each kind of resource out. GOLDEN_UPDATE=1 writes them anew.
// Each set is also judged by the real Envoy, and packed by the codec that refuses what the protos do not know.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AdaptiveSettings } from '#core/adaptive-settings.ts';
import { GATEWAY_CERTIFICATE_DOCUMENT } from '#core/gateway-certificate.ts';
import type { JsonObject } from '#core/json.ts';
import type { Pace } from '#core/pace.ts';
import type { Tenant } from '#core/tenant.ts';
import type { UpstreamSettings } from '#core/upstream-settings.ts';
import { packMessage } from '#protos/pack.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import { requireEnvoy } from '#test/support/xds-gateway.ts';
import { type ResourceMessages, staticBootstrap } from '#test/support/xds-static-bootstrap.ts';
import { tenantOf, type Versions, withUpstreams } from '#test/support/xds-world.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildEndpoints } from '#xds-server/translate/endpoints.ts';
import { buildListener } from '#xds-server/translate/listeners.ts';
import { buildWellKnownRoutes } from '#xds-server/translate/routes.ts';
import { buildWellKnownScope } from '#xds-server/translate/scoped-routes.ts';
import { translateTenant } from '#xds-server/translate/tenant.ts';

type Input = {
  readonly settings: Partial<GatewaySettings>;
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  /** Measured weights by `address:port`. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly tenants: Readonly<Record<string, Readonly<Record<string, Versions>>>>;
  /** By server id, whatever its tenant. */
  readonly upstream?: Readonly<Record<string, UpstreamSettings>>;
  /** By server id. */
  readonly adaptive?: Readonly<Record<string, AdaptiveSettings>>;
  /** Servers, by id, that are spoken to by WebSocket. */
  readonly webSockets?: readonly string[];
  /** What has moved, by cluster name. */
  readonly paces?: Readonly<Record<string, Pace>>;
};

const DEFAULTS: GatewaySettings = {
  listenAddress: '127.0.0.1',
  port: 8080,
  listenerTls: false,
  streamIdleSeconds: 3600,
  trustedHops: 0,
  accessLogOnStdout: false,
  upstreamCaFile: '/etc/ssl/certs/ca-certificates.crt',
};

const ROOT = join(import.meta.dirname, 'xds');
const UPDATE = process.env['GOLDEN_UPDATE'] === '1';
const cases = (await readdir(ROOT)).sort();

const render = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const withBounds = (tenant: Tenant, bounds: Input['adaptive'] = {}): Tenant => ({
  ...tenant,
  servers: tenant.servers.map((server) => {
    const adaptive = bounds[server.id];
    return adaptive === undefined ? server : { ...server, adaptive };
  }),
});

const withWebSockets = (tenant: Tenant, ids: Input['webSockets'] = []): Tenant => ({
  ...tenant,
  servers: tenant.servers.map((server) =>
    ids.includes(server.id)
      ? { ...server, versions: server.versions.map((version) => ({ ...version, transport: 'websocket' })) }
      : server,
  ),
});

const translate = (input: Input): ResourceMessages => {
  const settings = { ...DEFAULTS, ...input.settings };
  const tenants = Object.entries(input.tenants).map(([id, servers]) => {
    const spoken = withWebSockets(tenantOf(id, servers), input.webSockets);
    const tenant = withBounds(withUpstreams(spoken, input.upstream ?? {}), input.adaptive);
    const translated = translateTenant(tenant, settings, (cluster) => input.paces?.[cluster]);
    if (!translated.ok) throw new Error(translated.error);
    return translated.value;
  });
  return {
    listeners: [buildListener(settings)],
    clusters: tenants.flatMap(({ clusters }) => clusters),
    endpoints: tenants.flatMap(({ upstreams }) =>
      [...upstreams].map(([name, upstream]) =>
        buildEndpoints(name, upstream, {
          addressesOf: (url) => input.addresses[url],
          weightOf: (_cluster, address) => input.weights?.[address],
        }),
      ),
    ),
    scopes: [buildWellKnownScope(), ...tenants.flatMap(({ scopes }) => scopes)],
    routes: [buildWellKnownRoutes(), ...tenants.map(({ routes }) => routes)],
  };
};

const validate = async (bootstrap: JsonObject): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'golden-'));
  const file = join(directory, 'bootstrap.json');
  await writeFile(file, JSON.stringify(bootstrap));
  // A listener with TLS wants to find it; what is in it is read only by an Envoy that serves.
  await writeFile(join(directory, GATEWAY_CERTIFICATE_DOCUMENT), '{}');
  const options = [
    '--mode',
    'validate',
    '-c',
    file,
    '--disable-hot-restart',
    '--reject-unknown-dynamic-fields',
  ];
  try {
    const { stdout } = await promisify(execFile)(requireEnvoy(), [...options, '--log-level', 'error'], {
      cwd: directory,
    });
    return stdout;
  } finally {
    await rm(directory, { recursive: true });
  }
};

describe.each(cases)('golden %s', (name) => {
  const directory = join(ROOT, name);

  it('is translated as it was before', async () => {
    const input = JSON.parse(await readFile(join(directory, 'input.json'), 'utf8')) as Input;
    const messages = translate(input);
    // The listener depends on no tenant, so it is shown in the sets without any.
    const shown = Object.entries(messages).filter(
      ([kind]) => kind !== 'listeners' || Object.keys(input.tenants).length === 0,
    );
    const files = shown.map(([kind, value]) => [`${kind}.json`, render(value)] as const);
    if (UPDATE) {
      const stale = (await readdir(directory)).filter((file) => file !== 'input.json');
      await Promise.all(stale.map((file) => rm(join(directory, file))));
      await Promise.all(files.map(([file, text]) => writeFile(join(directory, file), text)));
    }
    expect((await readdir(directory)).sort()).toEqual(['input.json', ...files.map(([file]) => file)].sort());
    for (const [file, text] of files) expect(text, file).toBe(await readFile(join(directory, file), 'utf8'));
  });

  it('is accepted by Envoy and by the codec', async () => {
    const input = JSON.parse(await readFile(join(directory, 'input.json'), 'utf8')) as Input;
    const messages = translate(input);
    for (const message of Object.values(messages).flat()) packMessage(message as TypedMessage);
    expect(await validate(staticBootstrap(messages))).toContain('OK');
  });
});
