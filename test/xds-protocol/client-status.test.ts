// CSDS over real gRPC: every status a resource can have, who may ask, and for whom.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadService } from '#protos/service.ts';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { type ProtocolServer, startProtocolServer } from '#test/support/xds-protocol-server.ts';
import { createClientStatusService } from '#xds-server/client-status-service.ts';
import { TYPE_URLS } from '#xds-server/resource-kind.ts';

type Config = {
  readonly type_url: string;
  readonly name: string;
  readonly version_info: string;
  readonly config_status: string;
  readonly client_status: string;
  readonly xds_config: unknown;
  readonly error_state: { readonly details: string; readonly version_info: string } | null;
};
type Answer = {
  readonly config: readonly {
    readonly node: { readonly id: string };
    readonly generic_xds_configs: readonly Config[];
  }[];
};

const definition = loadService('envoy.service.status.v3.ClientStatusDiscoveryService');
let directory: string;
let address: Address;
let server: ProtocolServer;
let stop: () => Promise<void>;

beforeEach(async () => {
  server = await startProtocolServer();
  directory = await mkdtemp(join(tmpdir(), 'xds-status-'));
  address = { kind: 'unix', path: join(directory, 's.sock') };
  stop = await startGrpcServer(address, [createClientStatusService(server.ads.clients)]);
});
afterEach(async () => {
  await stop();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const withClient = async <T>(to: Address, use: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client(grpcTarget(to), credentials.createInsecure());
  try {
    return await use(client);
  } finally {
    client.close();
  }
};

const fetchStatus = (request: object = {}, to = address): Promise<Answer> =>
  withClient(
    to,
    (client) =>
      new Promise((resolve, reject) => {
        const method = definition['FetchClientStatus'];
        if (method === undefined) throw new Error('no such method');
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          (error: ServiceError | null, answer) =>
            error === null ? resolve(answer as Answer) : reject(error),
        );
      }),
  );

const brief = ({ config }: Answer) =>
  config.flatMap(({ node, generic_xds_configs }) =>
    generic_xds_configs.map(({ name, config_status, client_status }) =>
      [node.id, name, config_status, client_status].join(' '),
    ),
  );

describe('client status', () => {
  it('is asked, sent, acknowledged and refused, resource by resource', async () => {
    const client = server.connect('delta', 'edge-1');
    client.subscribe('route', ['r', 'ghost']);
    await server.serve({ route: { r: '1' } });
    const first = await client.next();
    const second = await client.next();
    expect(brief(await fetchStatus())).toEqual([
      'edge-1 ghost STALE DOES_NOT_EXIST',
      'edge-1 r STALE REQUESTED',
    ]);
    client.ack(first);
    client.ack(second);
    await server.serve({ route: { r: '2' } });
    client.nack(await client.next(), 'r: no, password="x"');
    await server.serve({ route: { r: '2' } });
    const answer = await fetchStatus();
    expect(brief(answer)).toEqual(['edge-1 ghost SYNCED DOES_NOT_EXIST', 'edge-1 r ERROR NACKED']);
    const refused = answer.config[0]?.generic_xds_configs[1];
    const held = Object.values(first.versions)[0]?.split('@')[0];
    expect(refused).toMatchObject({ type_url: TYPE_URLS.route, version_info: held, xds_config: null });
    expect(refused?.error_state).toMatchObject({ details: 'r: no, [redacted]' });
    expect(refused?.error_state?.version_info).not.toBe(held);
  });

  it('is of the nodes that are meant', async () => {
    await server.serve({ route: { r: '1' } });
    for (const nodeId of ['edge-1', 'edge-2', 'sidecar']) {
      const client = server.connect('sotw', nodeId);
      client.subscribe('route', ['r']);
      await client.take('route');
    }
    await server.serve({ route: { r: '1' } });
    const matching = (node_id: object) => fetchStatus({ node_matchers: [{ node_id }] });
    expect(brief(await matching({ exact: 'edge-2' }))).toEqual(['edge-2 r SYNCED ACKED']);
    expect(brief(await matching({ prefix: 'edge' }))).toHaveLength(2);
    expect(brief(await matching({ exact: 'nobody' }))).toEqual([]);
  });

  it('refuses matchers it cannot decide', async () => {
    const regex = { node_matchers: [{ node_id: { safe_regex: { regex: '.*' } } }] };
    await expect(fetchStatus(regex)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    const metadata = { node_matchers: [{ node_metadatas: [{}] }] };
    await expect(fetchStatus(metadata)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('is not told where Envoys come in', async () => {
    await expect(fetchStatus({}, server.address)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('may be asked again and again on one stream', async () => {
    await withClient(address, async (client) => {
      const method = definition['StreamClientStatus'];
      if (method === undefined) throw new Error('no such method');
      const stream = client.makeBidiStreamRequest<object, Answer>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize as (bytes: Buffer) => Answer,
      );
      const answers = stream[Symbol.asyncIterator]();
      stream.write({});
      expect(brief((await answers.next()).value)).toEqual([]);
      const envoy = server.connect('delta', 'edge');
      envoy.subscribe('cluster');
      await server.serve({ cluster: { a: '1' } });
      await envoy.take('cluster');
      await server.serve({ cluster: { a: '1' } });
      stream.write({});
      expect(brief((await answers.next()).value)).toEqual(['edge a SYNCED ACKED']);
      stream.end();
      expect((await answers.next()).done).toBe(true);
    });
  });
});
