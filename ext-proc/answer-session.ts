// One answer from its head to its end, as a conversation with Envoy: exactly one reply per message, in order. Anything
// out of order fails the stream, because Envoy passes the rest unseen if the stream ends without an error.

import { type GuardOrders, parseGuardOrders } from '#core/guard-orders.ts';
import { describeReason } from '#core/reason.ts';
import { blocked, refused, tooLarge } from '#ext-proc/answer-fault.ts';
import type { BodyGuard, BodyLimits, BodyStep } from '#ext-proc/body-guard.ts';
import type { HeldBytes, HeldBytesShare } from '#ext-proc/held-bytes.ts';
import type { LiveStreams, TerminationCause } from '#ext-proc/live-streams.ts';
import type { Measures } from '#ext-proc/measures.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import { type Course, setCourse } from '#ext-proc/pipeline.ts';
import { isJudged } from '#ext-proc/plan.ts';
import { refusalMessage } from '#ext-proc/refusal-message.ts';
import type { RulesDesk } from '#ext-proc/rules/rules-desk.ts';
import type { Sealer } from '#ext-proc/session/seal-answer.ts';
import { changeHeaders, type HeaderMutation, NO_HEADERS } from '#ext-proc/transforms/change-headers.ts';
import { type AnswerPart, answerPartFrom } from '#ext-proc/wire/from-processing-request.ts';
import {
  chunkReply,
  headReply,
  type ProcessingResponse,
  trailersReply,
} from '#ext-proc/wire/to-processing-response.ts';

/**
 * How long a stream that was ended waits for bytes of its server, in whose place its client is told why. A fifth of the two
 * seconds within which a switch takes hold: what is left is for the feed and for Envoy.
 */
const LAST_WORDS_MS = 400;

/** The side of the conversation that leads to Envoy. */
export type Line = {
  reply(response: ProcessingResponse): void;
  /** Fails the processing stream, after the replies given so far: Envoy breaks the answer off. */
  fail(details: string): void;
};

export type SessionParts = {
  readonly limits: BodyLimits;
  readonly liveStreams: LiveStreams;
  readonly heldBytes: HeldBytes;
  readonly measures: Measures;
  readonly sealer: Sealer;
  readonly rulesFor: RulesDesk['rulesFor'];
  /** What messages are judged by, in order. */
  readonly steps: readonly MessageStep[];
  /** Why the answer is not to be begun, if that has changed since the call was judged. */
  readonly endedBy: (orders: GuardOrders) => 'switched-off' | 'revoked' | undefined;
};

export type AnswerSession = {
  /** Replies to one decoded ProcessingRequest. Not called again before the reply is given. */
  receive(message: unknown): Promise<void>;
  /** The stream is over, however it ended; harmless when repeated. */
  close(): void;
};

type Head = Extract<AnswerPart, { kind: 'head' }>;
type Guarded = Extract<Course, { kind: 'guard' }>;
type Chunk = Extract<AnswerPart, { kind: 'chunk' }>;

const labelOf = (course: Course) => {
  if (course.kind === 'refuse') return 'refused';
  if (course.kind === 'pass') return 'passed';
  return course.rewrites ? 'rewritten' : 'watched';
};

const refuseWith = (
  reason: 'answer_refused' | 'answer_too_large' | 'answer_blocked' | 'stream_terminated',
  orders?: GuardOrders,
): Course => ({
  kind: 'refuse',
  status: describeReason(reason).httpStatus,
  body: refusalMessage({ reason, id: orders?.jsonRpcId, requestId: orders?.requestId }),
});

class Session implements AnswerSession {
  readonly #parts: SessionParts;
  readonly #line: Line;
  readonly #held: HeldBytesShare;
  #state: 'expecting-head' | 'guarding' | 'over' = 'expecting-head';
  #guard: BodyGuard | undefined;
  #orders: GuardOrders | undefined;
  #changed: HeaderMutation = NO_HEADERS;
  #told: HeaderMutation | undefined;
  #isOverdue = false;
  /** All that may go on of an answer that was ended from outside. */
  #lastWords: BodyStep | undefined;
  #grace: NodeJS.Timeout | undefined;
  #leave: () => void = () => {};

  constructor(parts: SessionParts, line: Line) {
    this.#parts = parts;
    this.#line = line;
    this.#held = parts.heldBytes.open();
  }

  async receive(message: unknown): Promise<void> {
    const part = answerPartFrom(message);
    if (part?.kind === 'head' && this.#state === 'expecting-head') await this.#onHead(part);
    else if (part?.kind === 'chunk' && this.#guard !== undefined) await this.#onChunk(this.#guard, part);
    else if (part?.kind === 'trailers' && this.#guard !== undefined) this.#onTrailers(this.#guard);
    else this.#break(part === undefined ? 'unknown message' : `${part.kind} while ${this.#state}`);
  }

  close(): void {
    if (this.#state === 'guarding') this.#parts.measures.closed();
    this.#state = 'over';
    clearTimeout(this.#grace);
    this.#guard?.close?.();
    this.#guard = undefined;
    this.#leave();
    this.#held.set(0);
  }

  #fail(details: string): void {
    this.close();
    this.#line.fail(details);
  }

  #break(what: string): void {
    this.#parts.measures.broken(what);
    this.#fail('unexpected_message');
  }

  async #onHead(part: Head): Promise<void> {
    const course = await this.#courseOf(part);
    // Envoy may have left meanwhile.
    if (this.#state !== 'expecting-head') return;
    this.#parts.measures.answered(labelOf(course));
    this.#state = 'over';
    if (course.kind === 'guard' && this.#orders !== undefined) this.#startGuarding(course, this.#orders);
    this.#line.reply(headReply(course, this.#changed));
  }

  async #courseOf(part: Head): Promise<Course> {
    const { measures, limits, sealer, steps, endedBy } = this.#parts;
    const parsed = parseGuardOrders(part.orders);
    if (!parsed.ok) {
      measures.refused(refused('orders_invalid'), undefined);
      return refuseWith('answer_refused');
    }
    const orders = parsed.value;
    this.#orders = orders;
    const rules = isJudged(orders) ? await this.#parts.rulesFor(orders) : undefined;
    const changed = rules === undefined ? NO_HEADERS : changeHeaders(part.headers, rules.guard, orders);
    if (changed === undefined) {
      measures.refused(blocked('header_change'), orders);
      return refuseWith('answer_blocked', orders);
    }
    this.#changed = changed;
    const course = setCourse(part.head, {
      orders,
      replica: part.replica,
      sealer,
      limits,
      steps,
      rules,
      report: {
        refused: (fault) => measures.refused(fault, orders),
        unread: (fault) => measures.unread(fault, orders),
        opened: (session) => measures.sessionOpened(session, { orders, replica: part.replica }),
      },
    });
    const cause = course.kind === 'guard' ? endedBy(orders) : undefined;
    if (cause === undefined) return course;
    measures.terminated(cause, orders);
    return refuseWith('stream_terminated', orders);
  }

  #startGuarding({ guard, headers }: Guarded, orders: GuardOrders): void {
    const { measures, liveStreams } = this.#parts;
    this.#state = 'guarding';
    this.#guard = guard;
    this.#told = headers;
    measures.opened();
    this.#leave = liveStreams.add({
      orders,
      end: (cause) => {
        measures.terminated(cause, orders);
        this.#endFor(cause);
      },
      interrupt: () => {
        this.#isOverdue = true;
      },
    });
  }

  /** An event that has begun is not waited for: no byte of the server passes any more, and the client would read half of it. */
  #endFor(cause: TerminationCause): void {
    this.#lastWords = this.#guard?.lastWords?.(cause);
    if (this.#lastWords === undefined) this.#fail('stream_terminated');
    else this.#grace = setTimeout(() => this.#fail('stream_terminated'), LAST_WORDS_MS);
  }

  /** The head waits for the whole body, and Envoy's buffer does not hold it. */
  #refuseUnheld(): void {
    const { measures } = this.#parts;
    measures.refused(tooLarge('body_too_large'), this.#orders);
    this.close();
    this.#line.reply(headReply(refuseWith('answer_too_large', this.#orders), NO_HEADERS));
  }

  async #onChunk(guard: BodyGuard, part: Chunk): Promise<void> {
    if (this.#told !== undefined && !part.endOfStream) {
      this.#refuseUnheld();
      return;
    }
    const interrupt = this.#isOverdue && !part.endOfStream ? guard.interrupt : undefined;
    const own =
      this.#lastWords ?? (await (interrupt?.(part.bytes) ?? guard.push(part.bytes, part.endOfStream)));
    // Ended from outside meanwhile.
    if (this.#state !== 'guarding') return;
    const step = this.#lastWords ?? own;
    // A reply to the last chunk would end the answer in good order.
    if (step.kind !== 'break-off' || step.bytes.length > 0) this.#line.reply(chunkReply(step, this.#told));
    if (step.kind === 'break-off') this.#breakOff(interrupt !== undefined);
    else if (!this.#held.set(guard.heldBytes())) {
      this.#parts.measures.refused(tooLarge('held_bytes_exhausted'), this.#orders);
      this.#fail('answer_too_large');
    }
  }

  #breakOff(isInterrupted: boolean): void {
    const isEnded = this.#lastWords !== undefined;
    if (isInterrupted && !isEnded && this.#orders !== undefined)
      this.#parts.measures.terminated('drained', this.#orders);
    this.#fail(isInterrupted || isEnded ? 'stream_terminated' : 'answer_refused');
  }

  #onTrailers(guard: BodyGuard): void {
    if (this.#lastWords !== undefined) {
      this.#fail('stream_terminated');
      return;
    }
    if (guard.mayEndHere()) {
      this.#line.reply(trailersReply());
      return;
    }
    this.#parts.measures.refused(refused('trailers_before_end'), this.#orders);
    this.#fail('answer_refused');
  }
}

/** Starts the conversation about one answer. */
export const createAnswerSession = (parts: SessionParts, line: Line): AnswerSession =>
  new Session(parts, line);
