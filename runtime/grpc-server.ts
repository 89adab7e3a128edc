// The gRPC edge every service shares: one internal address, message limits, graceful end. Beyond this machine it speaks
// mutual TLS or it does not start.

import type { ServerHttp2Session, ServerOptions as ServerOptionsOfHttp2 } from 'node:http2';
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
 * Shortest time between the announcement that the server goes away and its end, milliseconds (RFC 9113 §6.8): calls that
 * were sent before it was heard are still served, and so are connections that wait to be taken.
 */
const ANNOUNCED_MS = 500;

const POLL_MS = 20;

/** What was said last is on its way for no longer than this, milliseconds; a peer that keeps its connection is not waited for. */
const CLOSING_MS = 500;

/**
 * Streams that are interrupted at the limit of a drain end within this, milliseconds: with what their servers say next. Less
 * than a process that ends may take beyond its limit (runtime/lifecycle.ts).
 */
const INTERRUPTING_MS = 2_000;

/**
 * GOAWAY without an error for every stream there can be (RFC 9113 §6.8): length 8, type 7, no flags, stream 0; last stream
 * 2^31-1, NO_ERROR.
 */
const GOING_AWAY = Buffer.from('0000080700000000007fffffff00000000', 'hex');

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

/**
 * Envoy resets every stream of ext_proc once the answer is over, and a question to ext-authz whose caller has left. nghttp2
 * takes more than 33 a second of that for an attack (CVE-2023-44487), after 1,000 on account, and ends the connection with
 * all it carries. Who dials us is our own Envoy or has proved to be; Envoy guards its clients' side itself.
 */
const RESETS_AT_WILL = { streamResetBurst: 2 ** 31, streamResetRate: 2 ** 31 };

/** What grpc-js has no option or method for. */
type Inside = {
  readonly commonServerOptions: ServerOptionsOfHttp2;
  readonly sessions: ReadonlyMap<ServerHttp2Session, unknown>;
  readonly callTracker: Readonly<Record<'callsStarted' | 'callsSucceeded' | 'callsFailed', number>>;
};

const insideOf = (server: Server): Inside => server as unknown as Inside;

const sessionsOf = (server: Server): readonly ServerHttp2Session[] => [...insideOf(server).sessions.keys()];

const openCalls = (server: Server): number => {
  const { callsStarted, callsSucceeded, callsFailed } = insideOf(server).callTracker;
  return callsStarted - callsSucceeded - callsFailed;
};

const createServer = (services: readonly GrpcService[], limits: ServerOptions = {}): Server => {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    // Envoy keeps one connection for thousands of streams; grpc-js must not be the one to cap them.
    'grpc.max_concurrent_streams': 1_000_000,
    ...KEEPALIVE,
    ...limits,
  });
  Object.assign(insideOf(server).commonServerOptions, RESETS_AT_WILL);
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  return server;
};

export type StreamEnds = {
  /** Ends those that would not end by themselves, once nobody can begin another one. */
  readonly endStreams?: () => void;
  /** Ends those that are open at the limit of a drain as well as they can be ended; they have a moment for that. */
  readonly interruptStreams?: () => void;
};

/**
 * Ends a server: no call begins any more, those that run may go on until the limit of a drain.
 * @param ends.onCut hears of it if calls had to be cut.
 */
type StopGrpcServer = (ends?: StreamEnds & { readonly onCut?: () => void }) => Promise<void>;

const nothing = (): void => undefined;

/**
 * Tells a peer that new calls are to go elsewhere, and waits until it has read that. Written beside nghttp2, always between
 * two frames: after a GOAWAY of its own it drops the calls that come meanwhile without a word, and Envoy tries no call of
 * ext_proc again. What comes is served instead. Node's TLS takes one write at a time and aborts at another, so there the
 * connection closes as nghttp2 does it: calls under way end, those that come too late are refused, and ext-authz asked again.
 */
const announceEnd = (session: ServerHttp2Session): Promise<void> =>
  new Promise((resolve) => {
    if (session.closed || session.destroyed) return resolve();
    if (session.encrypted === true) {
      session.close();
      return resolve();
    }
    session.socket._write(GOING_AWAY, 'buffer' as BufferEncoding, nothing);
    if (!session.ping(() => resolve())) resolve();
  });

/** False if the time was over before it held. */
const holdsWithin = async (limitMs: number, holds: () => boolean): Promise<boolean> => {
  const deadline = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
};

/** Calls are counted here because grpc-js waits for none of a connection that was handed to it, as those over TLS are. */
const endCalls = async (
  server: Server,
  { endStreams = nothing, interruptStreams, onCut = nothing }: NonNullable<Parameters<StopGrpcServer>[0]>,
): Promise<void> => {
  const areOver = (): boolean => openCalls(server) <= 0;
  endStreams();
  if (await holdsWithin(readDrainSettings().limitMs, areOver)) return;
  onCut();
  if (interruptStreams === undefined) return;
  interruptStreams();
  await holdsWithin(INTERRUPTING_MS, areOver);
};

const drain = async (server: Server, ends: Parameters<StopGrpcServer>[0] = {}): Promise<void> => {
  const { limitMs } = readDrainSettings();
  const announce = () => Promise.all(sessionsOf(server).map(announceEnd));
  void announce();
  await sleep(ANNOUNCED_MS);
  // Once more, for connections that were taken meanwhile.
  await Promise.race([announce(), sleep(limitMs)]);
  server.tryShutdown(nothing);
  await endCalls(server, ends);
  await holdsWithin(CLOSING_MS, () => sessionsOf(server).length === 0);
  server.forceShutdown();
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
  return (ends) => drain(server, ends);
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
  return (ends) => {
    listener.close();
    return drain(server, ends);
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
 */
export const drainGrpc = (
  lifecycle: Pick<Lifecycle, 'onStop'>,
  stop: StopGrpcServer,
  ends: StreamEnds = {},
): void =>
  lifecycle.onStop('grpc', async () => {
    let isCut = false;
    const onCut = (): void => {
      isCut = true;
    };
    await stop({ ...ends, onCut });
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
