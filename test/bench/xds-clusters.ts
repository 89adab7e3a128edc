// `npm run bench:xds-clusters`: what an Envoy of a large fleet holds that gets all clusters, against one that gets each with
// the first call that needs it: memory as Envoy counts it, among 1,000 servers of which few are called, and how long a
// first call takes against the next one. Real Envoys, one after the other; read the ratios.

import { httpCall } from '#test/support/http-call.ts';
import { type Gateway, startGateway, startXdsServer, until } from '#test/support/xds-gateway.ts';
import { startUpstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const TENANTS = 50;
const SERVERS = 20;
/** Of a thousand; one in twenty. */
const CALLED = 50;

type Figures = {
  readonly clusters: number;
  readonly mebibytes: number;
  readonly firstMs: number;
  readonly nextMs: number;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const read = async ({ admin }: Gateway): Promise<Pick<Figures, 'clusters' | 'mebibytes'>> => {
  const clusters = /: (\d+)/.exec(await admin('/stats?filter=^cluster_manager.active_clusters$'))?.[1];
  const { allocated } = JSON.parse(await admin('/memory')) as { allocated: string };
  return { clusters: Number(clusters), mebibytes: Number(allocated) / 2 ** 20 };
};

const timed = async (url: string, path: string): Promise<number> => {
  const startedAt = performance.now();
  const { status } = await httpCall(url, path);
  if (status !== 200) throw new Error(`${path} answered ${status}`);
  return performance.now() - startedAt;
};

const measure = async (clustersOnDemand: boolean): Promise<Figures> => {
  const upstream = await startUpstream('one');
  const gateway = await startGateway({
    bootstrap: { node: { group: 'edge', servers: [], region: '', clustersOnDemand } },
  });
  const { xdsAddress: address, settings, origin } = gateway;
  const xds = await startXdsServer({ address, settings });
  try {
    const servers = Array.from({ length: SERVERS }, (_, index) => `server-${index}`);
    const versions = { '1.0.0': [upstream.url] };
    const tenants = Array.from({ length: TENANTS }, (_, index) =>
      tenantOf(`tenant-${index}`, Object.fromEntries(servers.map((server) => [server, versions]))),
    );
    xds.update(snapshotOf(1, ...tenants));
    await until('Envoy has everything', () => xds.ads.nodes()[0]?.acknowledgedSequence === 1, 120_000);
    const first: number[] = [];
    const next: number[] = [];
    for (let index = 0; index < CALLED; index += 1) {
      const path = `/t/tenant-${index % TENANTS}/mcp/server-${index % SERVERS}`;
      first.push(await timed(origin, path));
      next.push(await timed(origin, path));
    }
    return { ...(await read(gateway)), firstMs: median(first), nextMs: median(next) };
  } finally {
    await xds.stop();
    await gateway.stop();
    await upstream.stop();
  }
};

const tell = (what: string, { clusters, mebibytes, firstMs, nextMs }: Figures): void =>
  console.log(
    `${what}: ${clusters} clusters, ${mebibytes.toFixed(1)} MiB; first call ${firstMs.toFixed(1)} ms, next ${nextMs.toFixed(1)} ms`,
  );

tell('all at once', await measure(false));
tell('on demand', await measure(true));
