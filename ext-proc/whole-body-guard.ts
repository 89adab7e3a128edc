// Guards a body that is judged as a whole: nothing of it goes on before all of it was seen. The status line has left
// by then, so a refusal is a JSON-RPC error in the place of the body, which MCP clients hand to the waiting call.

import type { UnreadableMode } from '#core/response-guard.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, isUnreadable, refused, tooLarge } from '#ext-proc/answer-fault.ts';
import { type BodyStep, type GuardReport, NO_BYTES, type RefusingGuard } from '#ext-proc/body-guard.ts';
import { createHeldBody } from '#ext-proc/framing/held-body.ts';
import type { MessageJudge } from '#ext-proc/message/judge-message.ts';
import type { HeldBodyKind } from '#ext-proc/plan.ts';

/** How much of a body that is refused already is read on to its end, in caps, before the answer is broken off. */
const DRAINED_CAPS = 8;

/** The text that goes on in the place of a body. */
type JudgeBody = (body: Uint8Array) => Promise<Result<string | 'unchanged', AnswerFault>>;

const NOTHING: BodyStep = { kind: 'replace', bytes: NO_BYTES };

const NOT_JSON: readonly string[] = ['json_invalid', 'body_not_utf8'];

const textOf = async (
  judge: MessageJudge,
  body: Uint8Array,
  strict: boolean,
): Promise<Result<string, AnswerFault>> => {
  const judged = await judge(body, { strict });
  return judged.ok ? ok(judged.value.text) : judged;
};

// Whatever a server says beside an error status passes, unless it holds a list. What the header calls JSON must be JSON
// that can be read in one way.
const judgeErrorBody =
  (declaredJson: boolean) =>
  (judge: MessageJudge): JudgeBody =>
  async (body) => {
    if (body.length === 0) return ok('unchanged');
    const text = await textOf(judge, body, false);
    return text.ok || declaredJson || !NOT_JSON.includes(text.error.fault) ? text : ok('unchanged');
  };

const JUDGES: Readonly<Record<HeldBodyKind, (judge: MessageJudge) => JudgeBody>> = {
  message: (judge) => (body) => textOf(judge, body, true),
  'error-json': judgeErrorBody(true),
  'error-text': judgeErrorBody(false),
  nothing: () => async (body) => (body.length === 0 ? ok('unchanged') : err(refused('unexpected_body'))),
};

/**
 * @param options.unreadable what becomes of a body that cannot be read; `report`: it goes on as the server sent it.
 * @param options.refusal the body that takes the place of one that is refused.
 */
export const createWholeBodyGuard = (options: {
  readonly body: HeldBodyKind;
  readonly judge: MessageJudge;
  readonly maxBodyBytes: number;
  readonly unreadable: UnreadableMode;
  readonly refusal: (fault: AnswerFault) => string;
  readonly report: GuardReport;
}): RefusingGuard => {
  const { report, maxBodyBytes } = options;
  const judge = JUDGES[options.body](options.judge);
  const held = createHeldBody(maxBodyBytes);
  let fault: AnswerFault | undefined;
  let drained = 0;
  let isUnread = false;

  const passesUnread = (found: AnswerFault): boolean => {
    const passes = options.unreadable === 'report' && isUnreadable(found);
    if (passes) report.unread(found);
    return passes;
  };
  const refuse = (found: AnswerFault): void => {
    report.refused(found);
    fault = found;
  };
  const finish = async (body: Uint8Array): Promise<BodyStep> => {
    const judged: Result<string | 'unchanged', AnswerFault> =
      fault === undefined ? await judge(body) : err(fault);
    if (judged.ok)
      return { kind: 'replace', bytes: judged.value === 'unchanged' ? body : Buffer.from(judged.value) };
    if (fault === undefined && passesUnread(judged.error)) return { kind: 'replace', bytes: body };
    if (fault === undefined) refuse(judged.error);
    return { kind: 'replace', bytes: Buffer.from(options.refusal(judged.error)) };
  };
  /** The body is too large with this chunk. */
  const overflow = (chunk: Uint8Array): BodyStep => {
    const found = tooLarge('body_too_large');
    const before = held.take();
    if (passesUnread(found)) {
      isUnread = true;
      return { kind: 'replace', bytes: Buffer.concat([before, chunk]) };
    }
    refuse(found);
    return NOTHING;
  };
  const drain = (chunk: Uint8Array): BodyStep => {
    drained += chunk.length;
    return drained > DRAINED_CAPS * maxBodyBytes ? { kind: 'break-off', bytes: NO_BYTES } : NOTHING;
  };
  const keep = (chunk: Uint8Array): BodyStep => {
    if (fault !== undefined) return drain(chunk);
    return held.push(chunk) ? NOTHING : overflow(chunk);
  };

  /** The body in one piece, as most are, is judged where it lies: the copy would be one more for the garbage collector. */
  const isWhole = (chunk: Uint8Array): boolean =>
    fault === undefined && held.heldBytes() === 0 && chunk.length <= maxBodyBytes;

  return {
    push: (chunk, endOfStream) => {
      if (isUnread) return { kind: 'forward' };
      if (endOfStream && isWhole(chunk)) return finish(chunk);
      const step = keep(chunk);
      return endOfStream && !isUnread ? finish(held.take()) : step;
    },
    mayEndHere: () => fault === undefined && held.heldBytes() === 0,
    heldBytes: held.heldBytes,
    refuse: (found) => {
      held.take();
      refuse(found);
      return NOTHING;
    },
  };
};
