// An HTTP server of ours as it comes and goes: its port is shared with a successor only, answers of one that leaves end
// their connection, and nothing that was begun is cut before its time is over.

import type { Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '#core/gateway-error.ts';
import { isSuccessor, readDrainSettings } from '#runtime/drain-settings.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';

type Place = { readonly host: string; readonly port: number };

/** SO_REUSEPORT spreads connections over all who listen on Linux; elsewhere it fails, or the last one gets all. */
const CAN_SHARE = process.platform === 'linux';

const isAnswered = (place: Place): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(place);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/**
 * Binds a port by `listen`, which is handed the options of `net.Server.listen`.
 * @throws GatewayError `config_invalid` if somebody answers there and this is not a successor.
 */
export const bindPort = async (
  place: Place,
  listen: (options: Place & { readonly reusePort: boolean }) => Promise<unknown>,
): Promise<void> => {
  // Both who share a port must say so; a second one that nobody wanted would silently take half of the calls.
  if (place.port !== 0 && !isSuccessor() && (await isAnswered(place)))
    throw new GatewayError(
      'config_invalid',
      `another process listens on ${place.host}:${place.port}; stop it first, or set TAKE_OVER=true to take its place`,
    );
  await listen({ ...place, reusePort: CAN_SHARE });
};

/** Answers that are under way; once it leaves, each is the last one of its connection. */
const watchAnswers = (server: Server): (() => void) => {
  const open = new Set<ServerResponse>();
  let leaving = false;
  const makeLast = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('connection', 'close');
  };
  server.prependListener('request', (_request, response: ServerResponse) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    if (leaving) makeLast(response);
  });
  return () => {
    leaving = true;
    for (const response of open) makeLast(response);
  };
};

/**
 * Lets the server end in good order: from the first word of a drain on its answers end their connections, then it takes
 * no more of them, and what runs has until the limit.
 * @param close ends the server once its answers are out, e.g. `FastifyInstance.close`.
 */
export const drainHttp = (
  lifecycle: Pick<Lifecycle, 'onDrain' | 'onStop'>,
  name: string,
  { server, close }: { readonly server: Server; readonly close: () => Promise<unknown> },
): void => {
  lifecycle.onDrain(name, watchAnswers(server));
  lifecycle.onStop(name, async () => {
    const { limitMs } = readDrainSettings();
    const over = new AbortController();
    const cut = sleep(limitMs, true, { signal: over.signal }).catch(() => false);
    const closed = close().then(() => false);
    if (await Promise.race([closed, cut])) {
      server.closeAllConnections();
      throw new GatewayError('internal', `requests were open for more than ${limitMs} ms and are cut`);
    }
    over.abort();
  });
};

/** Ends a plain server: no more connections, idle ones are closed, the rest is waited for. */
export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
