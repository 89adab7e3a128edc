// Single questions to the registry, beside the feed and on its address: one connection, made when the first one is asked.
// Knows no question.

import { Client, type MethodDefinition } from '@grpc/grpc-js';
import { err, ok, type Result } from '#core/result.ts';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { dialOptions } from '#runtime/grpc-client.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

export type UnaryClient<Request, Response> = {
  /** Never rejects. The error is for the log. */
  ask(request: Request): Promise<Result<Response, string>>;
  stop(): void;
};

/**
 * @param to.tls required for an address with peers.
 * @param limitMs how long an answer is waited for.
 */
export const createUnaryClient = <Request, Response>(
  to: { readonly address: Address; readonly tls: InternalTls | undefined },
  method: MethodDefinition<Request, Response>,
  limitMs: number,
): UnaryClient<Request, Response> => {
  let client: Client | undefined;
  const dial = (): Client => {
    const { credentials, options } = dialOptions(to.address, to.tls);
    return new Client(grpcTarget(to.address), credentials, options);
  };
  // Credentials are of the moment they are made at: after a failure the next question dials anew.
  const drop = (failed: Client): void => {
    failed.close();
    if (client === failed) client = undefined;
  };
  const send = (used: Client, request: Request): Promise<Result<Response, string>> =>
    new Promise((resolve) => {
      used.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + limitMs },
        (error, response) => {
          if (error !== null) drop(used);
          resolve(
            error === null && response !== undefined ? ok(response) : err(error?.message ?? 'no answer'),
          );
        },
      );
    });
  return {
    ask: async (request) => {
      client ??= dial();
      return send(client, request);
    },
    stop: () => client?.close(),
  };
};
