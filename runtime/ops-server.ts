// `/healthz`, `/readyz` and `/metrics` of one service, on an internal address.

import { createServer } from 'node:http';
import type { Json } from '#core/json.ts';
import { type Address, netOptions } from '#runtime/address.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { prepareSocket, protectSocket } from '#runtime/unix-socket.ts';

export type Readiness = { readonly ready: boolean; readonly facts: Readonly<Record<string, Json>> };

type Reply = { readonly status: number; readonly contentType: string; readonly body: string };

const json = (status: number, body: unknown): Reply => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(body)}\n`,
});

const answer = async (
  path: string | undefined,
  metrics: Metrics,
  readiness: () => Readiness,
): Promise<Reply> => {
  if (path === '/healthz') return json(200, { status: 'ok' });
  if (path === '/readyz') {
    const { ready, facts } = readiness();
    return json(ready ? 200 : 503, { ready, ...facts });
  }
  if (path !== '/metrics') return json(404, { error: 'try /healthz, /readyz or /metrics' });
  return { status: 200, ...(await metrics.render()) };
};

/**
 * Starts the operations endpoint.
 * @param options.readiness asked on every `/readyz`; its facts are part of the answer (e.g. age of the snapshot).
 * @returns what closes it.
 */
export const startOpsServer = async (options: {
  readonly address: Address;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
}): Promise<() => Promise<void>> => {
  await prepareSocket(options.address);
  const server = createServer((request, response) => {
    answer(request.url, options.metrics, options.readiness).then(
      (reply) => response.writeHead(reply.status, { 'content-type': reply.contentType }).end(reply.body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(netOptions(options.address), resolve);
  });
  await protectSocket(options.address);
  return async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
};
