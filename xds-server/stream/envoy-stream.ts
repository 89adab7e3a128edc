// One open ADS stream: messages in, messages out, and a clock for answers that never come. Nothing new is said while what
// was said last has not left: a client that does not read costs one round of responses, and is told the newest state once
// it reads again. All judgement is in conversation.ts.

import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { EnvoyNodeFacts, EnvoyNodeStatus } from '#core/feed-message.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { Logger } from '#runtime/logger.ts';
import type { AdmittedNode } from '#xds-server/nodes/authorise.ts';
import type { WireNode } from '#xds-server/nodes/claim.ts';
import { findKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { Arrivals } from '#xds-server/snapshot/arrivals.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { type ClientStatus, clientStatus } from '#xds-server/stream/client-status.ts';
import {
  type Conversation,
  type Heard,
  hear,
  isBehind,
  isWaiting,
  loseHope,
  openConversation,
  overrule,
  type Protocol,
  proceed,
  retarget,
  type Told,
} from '#xds-server/stream/conversation.ts';
import { nackIn, nodeFacts, type StreamFacts } from '#xds-server/stream/node-facts.ts';
import { nodeStatus } from '#xds-server/stream/node-status.ts';
import { findExcess } from '#xds-server/stream/requested-names.ts';
import { countAnswer, countPush, type StreamMetrics } from '#xds-server/stream/stream-metrics.ts';
import type { Subscription } from '#xds-server/stream/subscription.ts';

/** Envoy answers within milliseconds; one that is busy loading thousands of clusters within seconds. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Each time in vain doubles the wait, up to this: what is sent again piles up at an Envoy that hangs or is slow. */
const MAX_ANSWER_TIMEOUT_MS = 300_000;

/** Requests for kinds that are not served which are logged of one stream; more would fill the log. */
const MAX_UNSERVED_LOGGED = 5;

/** What a request of either protocol has in common. */
export type AnyRequest = { readonly type_url: string; readonly node: WireNode | null };

/** How one protocol reads and writes. */
export type Dialect<Request extends AnyRequest> = {
  readonly protocol: Protocol;
  readonly heard: (request: Request, kind: ResourceKind, subscription: Subscription) => Heard;
  readonly response: (told: Told) => Buffer;
};

export type StreamDependencies = {
  readonly logger: Logger;
  readonly metrics: StreamMetrics;
  /** What no other stream's nonces begin with. */
  readonly nonces: string;
  /** Judges the node of the first message: why it is refused, or undefined, and from then on there is `publish`. */
  readonly admit: (node: WireNode | null) => string | undefined;
  /** Whether what is published is what the registry says now, as far as anybody knows. */
  readonly isCurrent: () => boolean;
  /** Called when `status()` may have changed. */
  readonly onStatus: () => void;
  readonly onEnd: () => void;
};

export class EnvoyStream<Request extends AnyRequest> {
  readonly #call: ServerDuplexStream<Request, Buffer>;
  readonly #dialect: Dialect<Request>;
  readonly #dependencies: StreamDependencies;
  #conversation: Conversation;
  #facts: StreamFacts;
  #nodeId = '';
  #isAdmitted = false;
  #unservedRequests = 0;
  #isOver = false;
  /** Responses handed over and not on the wire yet, because the client does not read. */
  #unsent = 0;
  #isHeldBack = false;
  #timer: NodeJS.Timeout | undefined;
  #patienceMs = ANSWER_TIMEOUT_MS;

  constructor(
    call: ServerDuplexStream<Request, Buffer>,
    dialect: Dialect<Request>,
    dependencies: StreamDependencies,
  ) {
    this.#call = call;
    this.#dialect = dialect;
    this.#dependencies = dependencies;
    this.#conversation = openConversation(dialect.protocol, dependencies.nonces);
    this.#facts = { protocol: dialect.protocol, connectedSince: new Date().toISOString() };
    call.on('data', (request) => this.#guarded(() => this.#receive(request)));
    call.on('end', () => this.end());
    call.on('error', () => this.#stopClock());
    call.on('close', () => {
      this.#stopClock();
      dependencies.onEnd();
    });
  }

  publish(snapshot: ResourceSnapshot): void {
    this.#guarded(() => {
      this.#conversation = retarget(this.#conversation, snapshot);
      this.#advance();
    });
  }

  /** @param node what it was admitted as. */
  status(node: AdmittedNode, arrivals: Arrivals): EnvoyNodeStatus & { readonly about: EnvoyNodeFacts } {
    const status = nodeStatus(this.#nodeId, this.#conversation, arrivals);
    return { ...status, about: nodeFacts(node, this.#facts) };
  }

  /** Resource by resource; costs a walk over all of them, so it is made when somebody asks. */
  clientStatus(): ClientStatus & { readonly nodeId: string } {
    return { nodeId: this.#nodeId, ...clientStatus(this.#conversation) };
  }

  /** Ends the stream of a node that is not, or no longer, what it says. */
  refuse(details: string): void {
    this.#fail(status.PERMISSION_DENIED, details);
  }

  end(): void {
    this.#stopClock();
    this.#call.end();
  }

  #receive(request: Request): void {
    if (!this.#isAdmitted && !this.#enter(request.node)) return;
    const kind = findKind(request.type_url);
    if (kind === undefined) {
      this.#noteUnserved(request.type_url);
      return;
    }
    const subscription = this.#conversation.subscriptions[kind];
    const heard = this.#dialect.heard(request, kind, subscription);
    const excess = findExcess(subscription, heard);
    if (excess === undefined) this.#take(heard);
    else this.#fail(status.RESOURCE_EXHAUSTED, excess);
  }

  /** Only a stream's first message needs to carry the node, and it must not change (xDS protocol, "basic protocol"). */
  #enter(node: WireNode | null): boolean {
    this.#nodeId = node?.id ?? '';
    const refusal = this.#dependencies.admit(node);
    this.#isAdmitted = refusal === undefined;
    if (refusal !== undefined) this.refuse(refusal);
    return this.#isAdmitted;
  }

  /** Other kinds of the stream must not suffer for it, so it gets no answer, as of any server without that kind. */
  #noteUnserved(typeUrl: string): void {
    this.#unservedRequests += 1;
    if (this.#unservedRequests > MAX_UNSERVED_LOGGED) return;
    const facts = { nodeId: this.#nodeId, typeUrl: typeUrl.slice(0, 200) };
    this.#dependencies.logger.warn(facts, 'Envoy asked for a kind of resource that is not served');
  }

  #take(heard: Heard): void {
    const { logger, metrics } = this.#dependencies;
    const nodeId = this.#nodeId;
    const { kind, nonce, refusal, ask } = heard;
    countAnswer(metrics, heard);
    logger.debug(
      { nodeId, kind, nonce, subscribe: ask.subscribe, unsubscribe: ask.unsubscribe },
      'Envoy said',
    );
    if (refusal !== undefined)
      logger.error({ nodeId, kind, fault: refusal }, 'Envoy refused a response; last good kept');
    const lastNack = nackIn(this.#conversation, heard, new Date().toISOString());
    if (lastNack !== undefined) this.#facts = { ...this.#facts, lastNack };
    this.#conversation = hear(this.#conversation, heard);
    this.#stopClock();
    this.#advance();
  }

  #advance(): void {
    if (this.#unsent === 0) this.#speak();
    else this.#isHeldBack = true;
    this.#watchClock();
    this.#dependencies.onStatus();
  }

  #speak(): void {
    const step = proceed(this.#conversation);
    this.#conversation = step.conversation;
    for (const told of step.told) {
      const { kind, nonce, resources, removed } = told;
      countPush(this.#dependencies.metrics, kind);
      const names = resources.map(({ name }) => name);
      this.#dependencies.logger.debug({ nodeId: this.#nodeId, kind, nonce, names, removed }, 'told Envoy');
      this.#unsent += 1;
      this.#call.write(this.#dialect.response(told), () => this.#noteSent());
    }
  }

  #noteSent(): void {
    this.#unsent -= 1;
    if (this.#unsent > 0 || !this.#isHeldBack) return;
    this.#isHeldBack = false;
    this.#guarded(() => this.#advance());
  }

  /** Only what Envoy says sets the clock back: a registry that goes on changing must not. */
  #watchClock(): void {
    if (isWaiting(this.#conversation)) {
      this.#timer ??= setTimeout(() => this.#guarded(() => this.#loseHope()), this.#patienceMs).unref();
      return;
    }
    this.#stopClock();
    this.#patienceMs = ANSWER_TIMEOUT_MS;
  }

  #stopClock(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #loseHope(): void {
    this.#stopClock();
    // It has not even got it: to say it again would only lie behind it.
    if (this.#unsent > 0) {
      this.#watchClock();
      return;
    }
    if (isBehind(this.#conversation)) {
      this.#settleDispute();
      return;
    }
    this.#patienceMs = Math.min(2 * this.#patienceMs, MAX_ANSWER_TIMEOUT_MS);
    this.#dependencies.metrics.timeouts.inc();
    this.#dependencies.logger.warn({ nodeId: this.#nodeId }, 'Envoy did not answer; going on without');
    this.#conversation = loseHope(this.#conversation);
    this.#advance();
  }

  /**
   * Envoy has something newer and we did not catch up. With the registry at hand ours is the truth (its database was
   * taken back); without it we are the ones who are old, so Envoy keeps what it has and tries another xds-server.
   */
  #settleDispute(): void {
    this.#dependencies.metrics.behind.inc();
    if (!this.#dependencies.isCurrent()) {
      this.#fail(status.UNAVAILABLE, 'this server is behind what the node has');
      return;
    }
    this.#dependencies.logger.warn(
      { nodeId: this.#nodeId },
      'Envoy has resources of a later publication; told ours',
    );
    this.#conversation = overrule(this.#conversation);
    this.#advance();
  }

  /** A fault of ours ends this stream only: Envoy keeps what it has and comes back with a fresh one. */
  #guarded(work: () => void): void {
    if (this.#isOver) return;
    try {
      work();
    } catch (thrown) {
      const error = GatewayError.from(thrown).message;
      this.#dependencies.logger.error({ nodeId: this.#nodeId, error }, 'ADS stream failed');
      this.#fail(status.INTERNAL, 'the stream failed');
    }
  }

  #fail(code: status, details: string): void {
    this.#isOver = true;
    this.#stopClock();
    this.#dependencies.logger.warn({ nodeId: this.#nodeId, details }, 'ADS stream ended');
    this.#call.emit('error', { code, details });
  }
}
