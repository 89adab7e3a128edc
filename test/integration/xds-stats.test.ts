// What an SRE finds in the real Envoy's statistics: calls by tenant, server and version, whatever characters a version
// has, and the figures the alerts in envoy/README.md ask for.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

/** The last is of a server with endpoints by TLS, which has statistics of its own. */
const VERSIONS = ['1.0.0', '2.1.0-rc.1', '3_0', '4.0.0-upstream', '5.0'];

let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;
let secure: Upstream;
let prometheus: string;

const serverOf = (index: number): string => `server-${index}`;

beforeAll(async () => {
  upstream = await startUpstream('one');
  secure = await startUpstream('secure', '/mcp', 'https');
  gateway = await startGateway();
  xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  const named = secure.url.replace('127.0.0.1', 'tracker.upstream.example');
  const urlsOf = (version: string) => (version === '5.0' ? [upstream.url, named] : [upstream.url]);
  const servers = VERSIONS.map(
    (version, index) => [serverOf(index), { [version]: urlsOf(version) }] as const,
  );
  xds.update(snapshotOf(1, tenantOf('acme-2', Object.fromEntries(servers))));
  for (const [index, version] of VERSIONS.entries()) {
    gateway.decide(() => ({ version }));
    const call = () => httpCall(gateway.origin, `/t/acme-2/mcp/${serverOf(index)}`).catch(() => undefined);
    await until('it is served', async () => (await call())?.status === 200);
  }
  await until('the calls are counted', async () => {
    prometheus = await gateway.admin('/stats/prometheus');
    return VERSIONS.every((version) => prometheus.includes(`mcpgw_version="${version}"`));
  });
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await Promise.all([upstream?.stop(), secure?.stop()]);
});

describe('the statistics of a cluster', () => {
  it.each(VERSIONS.map((version, index) => [version, serverOf(index)]))(
    'of version %s say whose it is, and keep their own names',
    (version, server) => {
      const lines = prometheus
        .split('\n')
        .filter((line) => line.includes(`mcpgw_server="${server}"`) && !line.startsWith('#'));
      const total = lines.filter((line) => line.startsWith('envoy_cluster_upstream_rq_total{'));
      expect(total).toHaveLength(1);
      expect(total[0]).toContain('mcpgw_tenant="acme-2"');
      expect(total[0]).toContain(`mcpgw_version="${version}"`);
      // A group that is not in the list leaves the version in the name, and each server makes names of its own.
      const untagged = lines.filter((line) => !line.includes(`mcpgw_version="${version}"`));
      expect(untagged).toEqual([]);
      const names = lines.map((line) => line.slice(0, line.indexOf('{')));
      expect(names.filter((name) => !/^envoy_cluster_[a-z_0-9]+$/.test(name))).toEqual([]);
    },
  );

  it('have no name that an owner chose', () => {
    expect(prometheus).toContain('envoy_cluster_socket_match_0_total_match_count{');
    expect(prometheus).not.toMatch(/tracker.upstream.example/);
  });

  it('of one server have the names of those of another', () => {
    const namesOf = (server: string) =>
      prometheus
        .split('\n')
        .filter((line) => line.includes(`mcpgw_server="${server}"`) && line.includes('upstream_rq'))
        .map((line) => line.slice(0, line.indexOf('{')));
    expect(new Set(namesOf('server-1'))).toEqual(new Set(namesOf('server-0')));
  });
});

describe('the statistics to watch', () => {
  it('are there by the names the page gives them', async () => {
    const page = await readFile(join(import.meta.dirname, '../../envoy/README.md'), 'utf8');
    const section = page.split('## Stats to watch')[1]?.split('\n## ')[0] ?? '';
    const named = [...section.matchAll(/`(envoy_[a-z0-9_]+)`/g)].map(([, name]) => name ?? '');
    expect(named.length).toBeGreaterThan(12);
    const known = new Set(
      [...(await gateway.admin('/stats/prometheus')).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
    );
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});
