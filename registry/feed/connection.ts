// One connection to the registry's feed, from dialling to its end. Moves messages; what they mean is for consumer.ts.

import { Client, type ClientDuplexStream } from '@grpc/grpc-js';
import type { ConsumerStatus } from '#core/feed-message.ts';
import type { BundleQuestion } from '#registry/feed/bundle-requests.ts';
import { withoutNodeFacts } from '#registry/feed/node-facts.ts';
import { withKnownPaces, withoutAnswers, withoutPaces } from '#registry/feed/status-paces.ts';
import {
  type FromConsumer,
  type FromRegistry,
  type Hello,
  jsonBytes,
  SILENCE_LIMIT_MS,
  SUBSCRIBE_METHOD,
} from '#registry/feed/wire-message.ts';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { dialOptions } from '#runtime/grpc-client.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  // A channel of its own per attempt: the shared pool would add its own, much longer back-off to ours.
  'grpc.use_local_subchannel_pool': 1,
};

export type Subscription = {
  readonly consumer: string;
  readonly epoch: string;
  readonly position: number;
  /** Whether this consumer can say what a tenant would change for Envoys. */
  readonly previews?: boolean;
  /** Whether it can say what an Envoy has. */
  readonly nodeConfigs?: boolean;
  /** Whether it takes revocations. */
  readonly revocations?: boolean;
  /** Whether it takes which tools drift. */
  readonly drift?: boolean;
  /** Required for an address with peers. */
  readonly tls?: InternalTls | undefined;
  /** Longest silence of the registry, milliseconds; three heartbeats unless a test is in a hurry. */
  readonly silenceLimitMs?: number;
};

export type FeedConnection = {
  /** Sends the newest status; one that a slow registry has not taken yet is replaced. */
  send(status: ConsumerStatus): void;
  /** Answers a question of this connection. */
  answer(answer: FromConsumer): void;
  /** Asks for a bundle of a tenant's policy; false if the connection is over. */
  askBundle(question: BundleQuestion): boolean;
  close(): void;
  /** Resolves when the connection is over, with the reason. Never rejects. */
  readonly ended: Promise<string>;
};

type Call = ClientDuplexStream<FromConsumer, FromRegistry>;

/** Created before whatever answers a hello with a status: it has to have read that first. */
const createStatusSender = (call: Call): ((status: ConsumerStatus) => void) => {
  let waiting: ConsumerStatus | undefined;
  let blocked = false;
  let takes: Partial<Hello> = {};
  const taken = (status: ConsumerStatus): ConsumerStatus => {
    const facts = takes.node_facts === true ? status : withoutNodeFacts(status);
    const known = takes.paces === true ? facts : withoutPaces(facts);
    return takes.answer_figures === true ? known : withoutAnswers(known);
  };
  const flush = (): void => {
    if (blocked || waiting === undefined || call.writableEnded || call.destroyed) return;
    const status = jsonBytes(taken(waiting));
    waiting = undefined;
    blocked = !call.write({ message: 'status', status: { status } });
  };
  call.on('data', (received: FromRegistry) => {
    if (received.message === 'hello') takes = received.hello;
  });
  call.on('drain', () => {
    blocked = false;
    flush();
  });
  return (status) => {
    waiting = withKnownPaces(status, waiting);
    flush();
  };
};

/** Resolves with the reason once the call is over; a registry that falls silent is given up. */
const watch = (
  call: Call,
  silenceLimitMs: number,
  onMessage: (message: FromRegistry) => void,
): Promise<string> =>
  new Promise((resolve) => {
    let reason = 'closed by the registry';
    let over = false;
    const finish = (): void => {
      over = true;
      clearTimeout(silence);
      resolve(reason);
    };
    const silence = setTimeout(() => {
      reason = 'the registry is silent';
      call.cancel();
      finish();
    }, silenceLimitMs);
    call.on('data', (message: FromRegistry) => {
      // What a dying call still delivers must not mix with what its successor brings.
      if (over) return;
      silence.refresh();
      onMessage(message);
    });
    call.on('error', (error) => {
      if (!over) reason = error.message;
    });
    call.on('end', () => call.end());
    // `error` may still follow `status` within this turn, and knows more.
    call.on('status', () => setImmediate(finish));
  });

/** Dials the registry and subscribes from where the copy ends. */
export const openFeedConnection = (
  address: Address,
  subscription: Subscription,
  onMessage: (message: FromRegistry) => void,
): FeedConnection => {
  const { credentials, options } = dialOptions(address, subscription.tls);
  const client = new Client(grpcTarget(address), credentials, { ...CHANNEL_OPTIONS, ...options });
  const call: Call = client.makeBidiStreamRequest(
    SUBSCRIBE_METHOD.path,
    SUBSCRIBE_METHOD.requestSerialize,
    SUBSCRIBE_METHOD.responseDeserialize,
  );
  const { consumer, epoch, position, silenceLimitMs = SILENCE_LIMIT_MS } = subscription;
  const { previews = false, nodeConfigs = false, revocations = false, drift = false } = subscription;
  const send = createStatusSender(call);
  const ended = watch(call, silenceLimitMs, onMessage).finally(() => client.close());
  const sequence = String(position);
  call.write({
    message: 'subscribe',
    subscribe: { consumer, epoch, sequence, previews, node_configs: nodeConfigs, revocations, drift },
  });
  const answer = (message: FromConsumer): void => {
    if (!call.writableEnded && !call.destroyed) call.write(message);
  };
  const askBundle = (question: BundleQuestion): boolean => {
    if (call.writableEnded || call.destroyed) return false;
    call.write({ message: 'policy_question', policy_question: question });
    return true;
  };
  return { send, answer, askBundle, close: () => call.cancel(), ended };
};
