// Guards a stream of server-sent events: each event is held until it is whole, judged, and goes on at once. An event
// that is refused becomes a JSON-RPC error, and the stream ends there: what follows could not be trusted either.

import type { UnreadableMode } from '#core/response-guard.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, isUnreadable, refused, tooLarge } from '#ext-proc/answer-fault.ts';
import { type BodyStep, type GuardReport, NO_BYTES, type RefusingGuard } from '#ext-proc/body-guard.ts';
import { createEventSplitter, type EventPiece } from '#ext-proc/framing/split-events.ts';
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
 * @param options.unreadable what becomes of an event that cannot be read; `report`: it goes on as the server sent it.
 * @param options.refusal the message that takes the place of an event that is refused; undefined where no request is
 * known that it could answer.
 */
export const createEventGuard = (options: {
  readonly judge: MessageJudge;
  readonly maxEventBytes: number;
  readonly unreadable: UnreadableMode;
  readonly refusal: (fault: AnswerFault) => string | undefined;
  readonly report: GuardReport;
}): RefusingGuard => {
  const splitter = createEventSplitter(options.maxEventBytes);
  let first = true;
  let isInPart = false;

  const judgeWhole = async (piece: Uint8Array): Promise<Result<Uint8Array, AnswerFault>> => {
    const event = parseSseEvent(piece, { first });
    if (!event.ok) return err(refused('body_not_utf8'));
    const judged = await judgeEvent(event.value, options.judge);
    return judged.ok ? ok(Buffer.from(formatSseEvent(judged.value))) : judged;
  };

  const passUnread = (piece: EventPiece, fault: AnswerFault): Result<Uint8Array, AnswerFault> => {
    if (options.unreadable === 'refuse' || !isUnreadable(fault)) return err(fault);
    // Of an event in parts it is said once.
    if (piece.kind === 'whole' || !isInPart) options.report.unread(fault);
    return ok(piece.bytes);
  };

  const judge = async (piece: EventPiece): Promise<Result<Uint8Array, AnswerFault>> => {
    const judged = piece.kind === 'whole' ? await judgeWhole(piece.bytes) : err(tooLarge('event_too_large'));
    const outcome = judged.ok ? judged : passUnread(piece, judged.error);
    isInPart = piece.kind === 'part';
    first = false;
    return outcome;
  };

  const breakOff = (passed: readonly Uint8Array[], fault: AnswerFault): BodyStep => {
    options.report.refused(fault);
    const message = options.refusal(fault);
    const last =
      message === undefined ? '' : formatSseEvent({ comments: [], event: 'message', data: message });
    return { kind: 'break-off', bytes: Buffer.concat([...passed, Buffer.from(last)]) };
  };

  const push = async (chunk: Uint8Array): Promise<BodyStep> => {
    const passed: Uint8Array[] = [];
    for (const piece of splitter.push(chunk)) {
      const judged = await judge(piece);
      if (!judged.ok) return breakOff(passed, judged.error);
      passed.push(judged.value);
    }
    return { kind: 'replace', bytes: passed.length === 0 ? NO_BYTES : Buffer.concat(passed) };
  };

  // What is left at the end is an event without its blank line, which no reader dispatches: it goes nowhere.
  const mayEndHere = (): boolean => true;
  return { push, mayEndHere, heldBytes: splitter.heldBytes, refuse: (fault) => breakOff([], fault) };
};
