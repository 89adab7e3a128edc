// Envoy under measurement: the product's, told by xds-server, or one with a configuration of the bench's own. All have as
// many workers.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '#core/json.ts';
import { envoyArguments } from '#envoy/arguments.ts';
import { buildBootstrap } from '#envoy/bootstrap.ts';
import type { Address } from '#runtime/address.ts';
import { type MeasuredProcess, startProcess, startService } from '#test/bench/check/service-process.ts';
import { staticBootstrap } from '#test/bench/check/static-bootstrap.ts';
import { type CheckWorld, PLAIN } from '#test/bench/check/world.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { requireEnvoy } from '#test/support/xds-gateway.ts';

const WORKERS = 2;

const LIMITS = { maxConnections: 10_000, maxHeapBytes: 2 ** 31 };

export type BenchEnvoy = {
  /** `http://127.0.0.1:port`, where calls come in. */
  readonly url: string;
  /** Whose processor time is Envoy's and that of whatever stands beside it. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
};

type Ports = { readonly port: number; readonly adminPort: number };

const findPorts = async (): Promise<Ports> => {
  const [port = 0, adminPort = 0] = await findFreePorts(2);
  return { port, adminPort };
};

const statusOf = async (url: string): Promise<number | undefined> =>
  (await fetch(url).catch(() => undefined))?.status;

const spawnEnvoy = async (
  { port, adminPort }: Ports,
  directory: string,
  bootstrap: JsonObject,
): Promise<MeasuredProcess> => {
  const bootstrapFile = join(directory, `envoy-${port}.json`);
  await writeFile(bootstrapFile, JSON.stringify(bootstrap));
  return startProcess({
    name: 'Envoy',
    command: requireEnvoy(),
    arguments: envoyArguments({ bootstrapFile, logLevel: 'warning', concurrency: WORKERS, drainSeconds: 5 }),
    isReady: async () =>
      (await statusOf(`http://127.0.0.1:${adminPort}/ready`)) === 200 &&
      (await statusOf(`http://127.0.0.1:${port}/`)) !== undefined,
  });
};

/** An Envoy that asks `decisions`, a socket, or nobody. */
export const startStaticEnvoy = async (
  directory: string,
  backendPort: number,
  decisions?: string,
): Promise<BenchEnvoy> => {
  const ports = await findPorts();
  const asked = decisions === undefined ? {} : { decisions };
  const bootstrap = staticBootstrap({ ...ports, ...asked, tenant: PLAIN, backendPort });
  const envoy = await spawnEnvoy(ports, directory, bootstrap);
  return { url: `http://127.0.0.1:${ports.port}`, pids: [envoy.pid], stop: envoy.stop };
};

const productBootstrap = ({ directory, processes }: CheckWorld, adminPort: number): JsonObject => {
  const at = (name: string): Address => ({ kind: 'unix', path: join(directory, `${name}.sock`) });
  const [extAuthz = at('ext-authz'), ...extAuthzBeside] = processes.map(
    ({ socket }): Address => ({ kind: 'unix', path: socket }),
  );
  const services = {
    extAuthz,
    xdsServer: at('xds-server'),
    extProc: at('ext-proc'),
    rateLimit: at('rate-limit'),
  };
  return buildBootstrap({
    nodeId: 'bench',
    adminPort,
    ...LIMITS,
    services: { ...services, ...(extAuthzBeside.length === 0 ? {} : { extAuthzBeside }) },
  });
};

/** The product whole: xds-server, ext-proc and Envoy join the decision processes of the world. */
export const startProductEnvoy = async (world: CheckWorld): Promise<BenchEnvoy> => {
  const ports = await findPorts();
  const url = `http://127.0.0.1:${ports.port}`;
  const environment = { ...world.environment, GATEWAY_PORT: String(ports.port), GATEWAY_PUBLIC_URL: url };
  const started: MeasuredProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const one of started.toReversed()) await one.stop();
  };
  try {
    for (const name of ['xds-server', 'ext-proc']) {
      const opsSocket = join(world.directory, `${name}-ops.sock`);
      started.push(await startService({ name, script: `${name}/main.ts`, opsSocket, environment }));
    }
    const bootstrap = productBootstrap(world, ports.adminPort);
    started.push(await spawnEnvoy(ports, world.directory, bootstrap));
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { url, pids: started.map(({ pid }) => pid), stop };
};
