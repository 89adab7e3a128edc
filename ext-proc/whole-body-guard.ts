// Guards a body that is judged as a whole: nothing of it goes on before all of it was seen. The status line has left
// by then, so a refusal is a JSON-RPC error in the place of the body, which MCP clients hand to the waiting call.

import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, refused, tooLarge } from '#ext-proc/answer-fault.ts';
import { type BodyGuard, type BodyStep, type GuardReport, NO_BYTES } from '#ext-proc/body-guard.ts';
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
 * @param options.refusal the body that takes the place of one that is refused.
 */
export const createWholeBodyGuard = (options: {
  readonly body: HeldBodyKind;
  readonly judge: MessageJudge;
  readonly maxBodyBytes: number;
  readonly refusal: (fault: AnswerFault) => string;
  readonly report: GuardReport;
}): BodyGuard => {
  const judge = JUDGES[options.body](options.judge);
  const held = createHeldBody(options.maxBodyBytes);
  let fault: AnswerFault | undefined;
  let drained = 0;

  const refuse = (found: AnswerFault): BodyStep => ({
    kind: 'replace',
    bytes: Buffer.from(options.refusal(found)),
  });
  const finish = async (): Promise<BodyStep> => {
    if (fault !== undefined) return refuse(fault);
    const body = held.take();
    const judged = await judge(body);
    if (!judged.ok) {
      options.report.refused(judged.error);
      return refuse(judged.error);
    }
    return { kind: 'replace', bytes: judged.value === 'unchanged' ? body : Buffer.from(judged.value) };
  };
  const keep = (chunk: Uint8Array): void => {
    if (fault !== undefined) {
      drained += chunk.length;
    } else if (!held.push(chunk).ok) {
      fault = tooLarge('body_too_large');
      options.report.refused(fault);
    }
  };

  return {
    push: (chunk, endOfStream) => {
      keep(chunk);
      if (endOfStream) return finish();
      return drained > DRAINED_CAPS * options.maxBodyBytes ? { kind: 'break-off', bytes: NO_BYTES } : NOTHING;
    },
    mayEndHere: () => fault === undefined && held.heldBytes() === 0,
    heldBytes: held.heldBytes,
  };
};
