// The gRPC edge every service shares: one internal address, message limits, graceful end.

import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { prepareSocket, protectSocket } from '#runtime/unix-socket.ts';

/** One message may hold a whole request or response body, or everything that piled up while a reply was awaited. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** How long open streams may go on once a stop was asked for, milliseconds. */
const DRAIN_MS = 2_000;

export type GrpcService = {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
};

/**
 * Binds the services to one internal address and starts serving.
 * @returns what drains and closes the server.
 * @throws GatewayError `config_invalid` if the address is taken.
 */
export const startGrpcServer = async (
  address: Address,
  services: readonly GrpcService[],
): Promise<() => Promise<void>> => {
  await prepareSocket(address);
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    // Envoy keeps one connection for thousands of streams; grpc-js must not be the one to cap them.
    'grpc.max_concurrent_streams': 1_000_000,
  });
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(grpcTarget(address), ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  await protectSocket(address);
  return () =>
    new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, DRAIN_MS);
      server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
};
