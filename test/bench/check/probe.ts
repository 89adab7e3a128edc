// Questions to a decision service, to see that it answers rightly before anything is timed.

import { credentials, makeGenericClientConstructor, type requestCallback } from '@grpc/grpc-js';

type Answer = { readonly code: number };

type ProbeClient = {
  makeUnaryRequest(
    path: string,
    serialize: (message: Buffer) => Buffer,
    deserialize: (bytes: Buffer) => Answer,
    message: Buffer,
    options: object,
    done: requestCallback<Answer>,
  ): void;
  close(): void;
};

const Client = makeGenericClientConstructor({}, 'Probe') as unknown as new (
  target: string,
  credentials: unknown,
) => ProbeClient;

const PROBE_MS = 5_000;

/** Field 1 of google.rpc.Status within field 1 of CheckResponse; an empty status is 0, which is OK. */
const codeOf = (bytes: Buffer): Answer => {
  const hasStatus = bytes[0] === 0x0a;
  const hasCode = hasStatus && (bytes[1] ?? 0) > 0 && bytes[2] === 0x08;
  return { code: hasCode ? (bytes[3] ?? 0) : hasStatus ? 0 : -1 };
};

export type Probe = {
  /** Whether the service allows the encoded CheckRequest; undefined while it does not answer. */
  ask(message: Buffer): Promise<boolean | undefined>;
  close(): void;
};

/** @param socketPath where the service listens. */
export const openProbe = (socketPath: string): Probe => {
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure());
  return {
    ask: (message) =>
      new Promise((resolve) => {
        client.makeUnaryRequest(
          '/envoy.service.auth.v3.Authorization/Check',
          (bytes) => bytes,
          codeOf,
          message,
          { deadline: Date.now() + PROBE_MS },
          (error, answer) => resolve(error !== null || answer === undefined ? undefined : answer.code === 0),
        );
      }),
    close: () => client.close(),
  };
};

/** Asks each message once, one after the other; how many were allowed. */
export const countAllowed = async (probe: Probe, messages: readonly Buffer[]): Promise<number> => {
  let allowed = 0;
  for (const message of messages) if ((await probe.ask(message)) === true) allowed += 1;
  return allowed;
};
