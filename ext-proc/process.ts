// The gRPC edge: envoy.service.ext_proc.v3.ExternalProcessor/Process, one stream per answer. It never ends a stream
// before Envoy does: a clean end means "pass the rest unseen" (measured), an error means "break the answer off".

import {
  type MethodDefinition,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { GatewayError } from '#core/gateway-error.ts';
import {
  type AnswerSession,
  createAnswerSession,
  type Line,
  type SessionParts,
} from '#ext-proc/answer-session.ts';
import { createRequestSession, type RequestParts } from '#ext-proc/request/request-session.ts';
import { isOfRequest } from '#ext-proc/wire/from-processing-request.ts';
import { readProcessingRequest } from '#ext-proc/wire/read-processing-request.ts';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';

export type ProcessParts = SessionParts & RequestParts;

type ProcessCall = ServerDuplexStream<unknown, unknown>;

/**
 * Messages of a stream that wait until those before them have their replies. Beyond them the stream is not read: the window
 * of HTTP/2 fills, and Envoy holds its server back.
 */
const MAX_WAITING = 8;

/** What is talked about is known with the first message. */
const createConversation = (parts: ProcessParts, line: Line): AnswerSession => {
  let session: AnswerSession | undefined;
  return {
    receive: (message) => {
      session ??= isOfRequest(message) ? createRequestSession(parts, line) : createAnswerSession(parts, line);
      return session.receive(message);
    },
    close: () => session?.close(),
  };
};

const serve = (parts: ProcessParts, call: ProcessCall): void => {
  let open = true;
  const fail = (details: string): void => {
    if (!open) return;
    open = false;
    call.emit('error', { code: status.ABORTED, details });
  };
  const session = createConversation(parts, {
    reply: (response) => {
      if (open) call.write(response);
    },
    fail,
  });
  const leave = (): void => {
    open = false;
    session.close();
  };
  // Envoy sends on while a reply is awaited; each part is looked at when the one before has its reply.
  let turn = Promise.resolve();
  let waiting = 0;
  const take = async (message: unknown): Promise<void> => {
    const startedAt = performance.now();
    try {
      if (open) await session.receive(message);
    } catch (thrown) {
      parts.measures.broken(GatewayError.from(thrown).message);
      session.close();
      fail('internal');
    }
    parts.measures.replied((performance.now() - startedAt) / 1000);
  };
  const taken = (): void => {
    waiting -= 1;
    if (waiting === MAX_WAITING - 1) call.resume();
  };
  call.on('data', (message: unknown) => {
    waiting += 1;
    if (waiting === MAX_WAITING) call.pause();
    turn = turn.then(() => take(message)).then(taken);
  });
  call.on('end', () => {
    // Half-closed by Envoy: the answer is over. After an error of ours the status is on its way already.
    void turn.then(() => {
      if (open) call.end();
      leave();
    });
  });
  call.on('cancelled', leave);
  call.on('close', leave);
};

const definition = (): ServiceDefinition => {
  const { Process } = loadService('envoy.service.ext_proc.v3.ExternalProcessor');
  const { requestDeserialize: readAll, ...method } = Process as MethodDefinition<object, object>;
  return { Process: { ...method, requestDeserialize: (bytes) => readProcessingRequest(bytes, readAll) } };
};

/** The service for `startGrpcServer`. */
export const createProcessService = (parts: ProcessParts): GrpcService => ({
  definition: definition(),
  implementation: { Process: (call: ProcessCall) => serve(parts, call) },
});
