// Guards a stream of server-sent events: each event is held until it is whole, judged, and goes on at once. An event
// that is refused becomes a JSON-RPC error, and the stream ends there: what follows could not be trusted either.

import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, refused, tooLarge } from '#ext-proc/answer-fault.ts';
import { type BodyGuard, type BodyStep, type GuardReport, NO_BYTES } from '#ext-proc/body-guard.ts';
import { createEventSplitter } from '#ext-proc/framing/split-events.ts';
import { formatSseEvent, parseSseEvent, type SseEvent } from '#ext-proc/framing/sse-event.ts';
import type { MessageJudge } from '#ext-proc/message/judge-message.ts';

// Clients that follow MCP read events of the type `message` only, others may read all: of what is not a message no
// more goes on than that the server is alive.
const keepAlive = ({ id, retry }: SseEvent): SseEvent => ({
  comments: [' keep-alive'],
  ...(id === undefined ? {} : { id }),
  ...(retry === undefined ? {} : { retry }),
});

const isMessage = (event: SseEvent): boolean =>
  event.event === undefined || event.event === '' || event.event === 'message';

const judgeEvent = async (event: SseEvent, judge: MessageJudge): Promise<Result<SseEvent, AnswerFault>> => {
  if (!isMessage(event)) return ok(keepAlive(event));
  // An event without data primes the client's `Last-Event-ID` (MCP 2025-11-25, resumability).
  if (event.data === undefined || event.data === '') return ok(event);
  const judged = await judge(Buffer.from(event.data), { strict: true });
  return judged.ok ? ok({ ...event, data: judged.value.text }) : judged;
};

/**
 * @param options.refusal the message that takes the place of an event that is refused; undefined where no request is
 * known that it could answer.
 */
export const createEventGuard = (options: {
  readonly judge: MessageJudge;
  readonly maxEventBytes: number;
  readonly refusal: (fault: AnswerFault) => string | undefined;
  readonly report: GuardReport;
}): BodyGuard => {
  const splitter = createEventSplitter(options.maxEventBytes);
  let first = true;

  const judge = async (piece: Uint8Array): Promise<Result<string, AnswerFault>> => {
    const event = parseSseEvent(piece, { first });
    first = false;
    if (!event.ok) return err(refused('body_not_utf8'));
    const judged = await judgeEvent(event.value, options.judge);
    return judged.ok ? ok(formatSseEvent(judged.value)) : judged;
  };

  const breakOff = (passed: readonly string[], fault: AnswerFault): BodyStep => {
    options.report.refused(fault);
    const message = options.refusal(fault);
    const last =
      message === undefined ? '' : formatSseEvent({ comments: [], event: 'message', data: message });
    return { kind: 'break-off', bytes: Buffer.from(passed.join('') + last) };
  };

  const push = async (chunk: Uint8Array): Promise<BodyStep> => {
    const pieces = splitter.push(chunk);
    if (!pieces.ok) return breakOff([], tooLarge('event_too_large'));
    const passed: string[] = [];
    for (const piece of pieces.value) {
      const judged = await judge(piece);
      if (!judged.ok) return breakOff(passed, judged.error);
      passed.push(judged.value);
    }
    const text = passed.join('');
    return { kind: 'replace', bytes: text === '' ? NO_BYTES : Buffer.from(text) };
  };

  // What is left at the end is an event without its blank line, which no reader dispatches: it goes nowhere.
  return { push, mayEndHere: () => true, heldBytes: splitter.heldBytes };
};
