// Questions of the registry to one of its consumers, each answered within a short time or not at all. What is asked and
// what an answer looks like is for the desks that are built on this one.

import { randomUUID } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';
import type { FeedCall } from '#registry/feed/subscriber.ts';
import type { FromRegistry } from '#registry/feed/wire-message.ts';

/** A caller waits for it, and so does nobody else: xds-server answers within milliseconds. */
const ANSWER_LIMIT_MS = 2_000;

/** Questions under way. Each may hold megabytes in the memory of a slow stream. */
const MAX_QUESTIONS = 8;

export type WireAnswer = { readonly id: string; readonly answer: Buffer };

type Question<Answer> = {
  readonly call: FeedCall;
  readonly settle: (outcome: Result<Answer, 'no-answer'>) => void;
};

export type QuestionDesk<Answer> = {
  /** Never rejects. */
  put(call: FeedCall, messageOf: (id: string) => FromRegistry): Promise<Result<Answer, 'no-answer'>>;
  /** The consumer's stream is over. */
  closed(call: FeedCall): void;
  /** False: nobody asked that, there, or it cannot be read. */
  answered(call: FeedCall, answer: WireAnswer): boolean;
};

export const canBeAsked = (call: FeedCall): boolean =>
  !call.cancelled && !call.destroyed && !call.writableEnded;

/** @param limitMs how long an answer is waited for. */
export const createQuestionDesk = <Answer>(
  parse: (bytes: Uint8Array) => Result<Answer, unknown>,
  limitMs: number = ANSWER_LIMIT_MS,
): QuestionDesk<Answer> => {
  const questions = new Map<string, Question<Answer>>();
  return {
    put: (call, messageOf) => {
      if (questions.size >= MAX_QUESTIONS) return Promise.resolve(err('no-answer'));
      return new Promise((resolve) => {
        const id = randomUUID();
        const settle: Question<Answer>['settle'] = (outcome) => {
          clearTimeout(timer);
          questions.delete(id);
          resolve(outcome);
        };
        const timer = setTimeout(() => settle(err('no-answer')), limitMs);
        questions.set(id, { call, settle });
        call.write(messageOf(id));
      });
    },
    closed: (call) => {
      for (const question of questions.values())
        if (question.call === call) question.settle(err('no-answer'));
    },
    answered: (call, { id, answer }) => {
      const question = questions.get(id);
      if (question?.call !== call) return false;
      const parsed = parse(answer);
      question.settle(parsed.ok ? ok(parsed.value) : err('no-answer'));
      return parsed.ok;
    },
  };
};
