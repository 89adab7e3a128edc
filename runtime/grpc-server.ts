// The gRPC edge every service shares: one internal address, message limits, graceful end. Beyond this machine it speaks
// mutual TLS or it does not start.

import { constants, type ServerHttp2Session } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { CertificateNames } from '#core/certificate-names.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { SanPattern } from '#core/san-pattern.ts';
import { type Address, formatAddress, grpcTarget, isLocal } from '#runtime/address.ts';
import { readDrainSettings } from '#runtime/drain-settings.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';
import { namesOfPeer, startTlsListener } from '#runtime/tls/tls-listener.ts';
import { bindAddress } from '#runtime/unix-socket.ts';

/** One message may hold a whole request or response body, or everything that piled up while a reply was awaited. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/**
 * Between the announcement that the server goes away and the refusal of new calls, milliseconds (RFC 9113 §6.8): calls
 * that were sent before it was heard are still served, and so are connections that wait to be taken.
 */
const ANNOUNCED_MS = 500;

/** Every stream of a connection, also those that are on their way. */
const ALL_STREAMS = 2 ** 31 - 1;

export type GrpcService = {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
};

/**
 * After this long a TLS connection takes no new calls, and the client opens another one, which is verified afresh: by
 * then it has renewed its certificate or lost its place on the list. Calls under way are not cut.
 */
const CONNECTION_AGE_MS = 30 * 60_000;

/**
 * A peer that is silent for this long is asked whether it lives, and given up when it does not say so in time: one whose
 * machine or network is gone closes nothing, and TCP alone finds out after a quarter of an hour, if ever. The answer may
 * take longer than any pause of a process that lives, ours too: it is not read before we go on.
 */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 15_000, 'grpc.keepalive_timeout_ms': 10_000 };

const createServer = (services: readonly GrpcService[], limits: ServerOptions = {}): Server => {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    // Envoy keeps one connection for thousands of streams; grpc-js must not be the one to cap them.
    'grpc.max_concurrent_streams': 1_000_000,
    ...KEEPALIVE,
    ...limits,
  });
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  return server;
};

/**
 * Ends a server: no call begins any more, those that run may go on until the limit of a drain.
 * @param endStreams ends those that would not end by themselves, once nobody can begin another one.
 * @param onCut hears of it if calls had to be cut.
 */
type StopGrpcServer = (endStreams?: () => void, onCut?: () => void) => Promise<void>;

const nothing = (): void => undefined;

/**
 * Tells every peer that new calls are to go elsewhere, and serves those that come all the same. `tryShutdown` alone names
 * the last stream it has seen: what is on its way then is refused, and Envoy tries no call of ext_proc again.
 */
const announceEnd = (server: Server): void => {
  // Not part of what grpc-js publishes; without it calls on their way are refused, as they would be anyway.
  const { sessions } = server as unknown as { readonly sessions?: ReadonlyMap<ServerHttp2Session, unknown> };
  for (const session of sessions?.keys() ?? [])
    if (!session.closed && !session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR, ALL_STREAMS);
};

const drain: (server: Server, ...options: Parameters<StopGrpcServer>) => ReturnType<StopGrpcServer> = async (
  server,
  endStreams = nothing,
  onCut = nothing,
) => {
  const { limitMs } = readDrainSettings();
  announceEnd(server);
  await sleep(ANNOUNCED_MS);
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown();
      onCut();
      resolve();
    }, limitMs);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
    endStreams();
  });
};

const startPlain = async (address: Address, services: readonly GrpcService[]): Promise<StopGrpcServer> => {
  const server = createServer(services);
  const listen = (place: Address): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      server.bindAsync(grpcTarget(place), ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  await bindAddress(address, listen);
  return (endStreams, onCut) => drain(server, endStreams, onCut);
};

const startSecure = async (
  address: TlsAddress,
  services: readonly GrpcService[],
  tls: InternalTls,
): Promise<StopGrpcServer> => {
  const server = createServer(services, { 'grpc.max_connection_age_ms': CONNECTION_AGE_MS });
  // gRPC gets connections that are decrypted and known already. Its own TLS would ask nobody who the peer is.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const onConnection = (socket: TLSSocket): void => injector.injectConnection(socket);
  const listener = await startTlsListener({ ...address, tls, onConnection });
  return (endStreams, onCut) => {
    listener.close();
    return drain(server, endStreams, onCut);
  };
};

type TlsAddress = Extract<Address, { kind: 'tcp' }> & { readonly peers: readonly SanPattern[] };

const isTls = (address: Address): address is TlsAddress =>
  address.kind === 'tcp' && address.peers !== undefined;

/**
 * Binds the services to one internal address and starts serving.
 * @param tls required for an address with peers.
 * @returns what drains and closes the server.
 * @throws GatewayError `config_invalid` if the address is taken, or lies beyond this machine without mutual TLS.
 */
export const startGrpcServer = async (
  address: Address,
  services: readonly GrpcService[],
  tls?: InternalTls,
): Promise<StopGrpcServer> => {
  if (isTls(address) && tls !== undefined) return startSecure(address, services, tls);
  if (isTls(address) || !isLocal(address))
    throw new GatewayError(
      'config_invalid',
      `${formatAddress(address)} can be reached from elsewhere: internal ports need mutual TLS there`,
    );
  return startPlain(address, services);
};

/**
 * Ends the server with the service: a drain in which calls were cut is none in good order.
 * @param endStreams as in `StopGrpcServer`.
 */
export const drainGrpc = (
  lifecycle: Pick<Lifecycle, 'onStop'>,
  stop: StopGrpcServer,
  endStreams?: () => void,
): void =>
  lifecycle.onStop('grpc', async () => {
    let isCut = false;
    const onCut = (): void => {
      isCut = true;
    };
    await stop(endStreams, onCut);
    if (isCut) throw new GatewayError('internal', 'calls were open beyond DRAIN_SECONDS and are cut');
  });

/**
 * Names of the certificate that the caller has proved; undefined on a connection without TLS. Whoever serves TLS must
 * take undefined for a stranger: a connection that has just broken has no names either.
 */
export const callerNames = (call: {
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate | undefined };
}): CertificateNames | undefined => {
  const { sslPeerCertificate } = call.getAuthContext();
  return sslPeerCertificate === undefined ? undefined : namesOfPeer(sslPeerCertificate.subjectaltname);
};
