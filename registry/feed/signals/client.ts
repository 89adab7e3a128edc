// The other end: whoever orders notifications asks the registry where they are to be sent.

import { err, type Result } from '#core/result.ts';
import type { ChannelQuestion, NotificationAddress } from '#core/signal-channel.ts';
import { OPEN_METHOD, parseAnswer } from '#registry/feed/signals/wire.ts';
import { createUnaryClient } from '#registry/feed/unary-client.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';
import type { Address } from '#runtime/address.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

const ANSWER_LIMIT_MS = 5_000;

export type SignalClient = {
  /** Never rejects. The error, for the log: `off`, `unknown`, or why the registry was not reached. */
  openChannel(question: ChannelQuestion): Promise<Result<NotificationAddress, string>>;
  stop(): void;
};

/** @param tls required for an address with peers. */
export const createSignalClient = (address: Address, tls: InternalTls | undefined): SignalClient => {
  const client = createUnaryClient({ address, tls }, OPEN_METHOD, ANSWER_LIMIT_MS);
  return {
    openChannel: async (question) => {
      const answered = await client.ask({ question: jsonBytes(question) });
      return answered.ok ? parseAnswer(answered.value.answer) : err(answered.error);
    },
    stop: client.stop,
  };
};
