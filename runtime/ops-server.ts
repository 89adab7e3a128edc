// `/healthz`, `/readyz` and `/metrics` of one service, on an internal address.

import { createServer } from 'node:http';
import type { Json } from '#core/json.ts';
import { type Address, netOptions } from '#runtime/address.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { bindAddress } from '#runtime/unix-socket.ts';

export type Readiness = { readonly ready: boolean; readonly facts: Readonly<Record<string, Json>> };

type Reply = { readonly status: number; readonly contentType: string; readonly body: string };

const json = (status: number, body: unknown): Reply => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(body)}\n`,
});

/** Not ready is who has nothing to serve by, and who is about to leave: calls are to go elsewhere. */
const tellReadiness = ({ ready, facts }: Readiness, draining: boolean): Reply => {
  const isReady = ready && !draining;
  // A successor answers at the address of the one before it: the process says which of them speaks.
  return json(isReady ? 200 : 503, { ready: isReady, draining, process: process.pid, ...facts });
};

type OpsOptions = {
  readonly address: Address;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
};

const answer = async (
  path: string | undefined,
  { metrics, readiness }: OpsOptions,
  isDraining: () => boolean,
): Promise<Reply> => {
  if (path === '/healthz') return json(200, { status: 'ok' });
  if (path === '/readyz') return tellReadiness(readiness(), isDraining());
  if (path !== '/metrics') return json(404, { error: 'try /healthz, /readyz or /metrics' });
  return { status: 200, ...(await metrics.render()) };
};

/**
 * Starts the operations endpoint; it ends after all parts of the service.
 * @param options.readiness asked on every `/readyz`; its facts are part of the answer (e.g. age of the snapshot).
 */
export const startOpsServer = async (lifecycle: Lifecycle, options: OpsOptions): Promise<void> => {
  const server = createServer((request, response) => {
    answer(request.url, options, lifecycle.isDraining).then(
      (reply) => response.writeHead(reply.status, { 'content-type': reply.contentType }).end(reply.body),
      () => response.writeHead(500).end(),
    );
  });
  const listen = (address: Address): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(netOptions(address), resolve);
    });
  await bindAddress(options.address, listen);
  lifecycle.onEnd('operations', async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
};
