// Many Envoys' ADS streams in one process of their own, so that what is measured of the server is the server's alone.
// Each asks like Envoy: everything, then endpoints of the clusters it has; it acknowledges at once and keeps nothing.
// Run as a child by test/bench and test/xds-protocol; messages go over the channel to the parent.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Client, credentials } from '@grpc/grpc-js';
import { loadService } from '#protos/service.ts';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { TYPE_URLS } from '#xds-server/resource-kind.ts';

type Response = {
  readonly type_url: string;
  readonly nonce: string;
  readonly system_version_info: string;
  readonly resources: readonly { readonly name: string }[];
};
type Order =
  | {
      readonly do: 'connect';
      readonly target: string;
      readonly clients: number;
      readonly routes: readonly string[];
    }
  | { readonly do: 'await'; readonly sequence: number };

/** When each client had the routes of the awaited sequence, on the machine's monotonic clock, ms. */
type Report = { readonly times: readonly number[] };

export type Fleet = {
  /** Resolves once every client has routes of that sequence; when each had them, ms on `monotonicMs`. */
  reached(sequence: number): Promise<readonly number[]>;
  stop(): Promise<void>;
};

/** The same clock in every process of the machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Connects `clients` streams, each asking for the routes of these names. */
export const startFleet = async (options: {
  readonly address: Address;
  readonly clients: number;
  readonly routes: readonly string[];
}): Promise<Fleet> => {
  const child = fork(import.meta.filename, ['fleet'], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = once(child, 'exit');
  const gone = ended.then((): never => {
    throw new Error('the fleet is gone');
  });
  gone.catch(() => undefined);
  const order = (message: Order) => child.send(message);
  order({
    do: 'connect',
    target: grpcTarget(options.address),
    clients: options.clients,
    routes: options.routes,
  });
  return {
    reached: async (sequence) => {
      order({ do: 'await', sequence });
      const [message] = await Promise.race([once(child, 'message'), gone]);
      return (message as Report).times;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

const sail = (): void => {
  const method = loadService('envoy.service.discovery.v3.AggregatedDiscoveryService')[
    'DeltaAggregatedResources'
  ];
  if (method === undefined) throw new Error('no such method');
  const reached: { sequence: number; at: number }[] = [];
  let awaited = -1;

  const report = (): void => {
    if (awaited < 0 || reached.some(({ sequence }) => sequence < awaited)) return;
    awaited = -1;
    process.send?.({ times: reached.map(({ at }) => at) } satisfies Report);
  };

  const connect = (target: string, index: number, routes: readonly string[]): void => {
    const client = new Client(target, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
    const stream = client.makeBidiStreamRequest<object, Response>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize as (bytes: Buffer) => Response,
    );
    const own = { sequence: -1, at: 0 };
    reached.push(own);
    const endpoints = new Set<string>();
    const askForEndpoints = (names: readonly string[]): void => {
      const fresh = names.filter((name) => !endpoints.has(name));
      for (const name of fresh) endpoints.add(name);
      if (fresh.length > 0) stream.write({ type_url: TYPE_URLS.endpoint, resource_names_subscribe: fresh });
    };
    stream.on('data', ({ type_url, nonce, system_version_info, resources }: Response) => {
      if (type_url === TYPE_URLS.cluster) askForEndpoints(resources.map(({ name }) => name));
      stream.write({ type_url, response_nonce: nonce });
      if (type_url !== TYPE_URLS.route) return;
      own.sequence = Number(system_version_info);
      own.at = monotonicMs();
      report();
    });
    stream.write({ node: { id: `fleet-${index}` }, type_url: TYPE_URLS.cluster });
    for (const type_url of [TYPE_URLS.listener, TYPE_URLS.scope]) stream.write({ type_url });
    stream.write({ type_url: TYPE_URLS.route, resource_names_subscribe: routes });
  };

  process.on('message', (order: Order) => {
    if (order.do === 'await') {
      awaited = order.sequence;
      report();
      return;
    }
    for (let index = 0; index < order.clients; index += 1) connect(order.target, index, order.routes);
  });
  process.on('disconnect', () => process.exit());
};

if (process.argv[2] === 'fleet') sail();
