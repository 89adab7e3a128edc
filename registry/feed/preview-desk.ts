// Questions of the registry to those of its consumers that translate for Envoy: what would change if a tenant were like
// this? One consumer is asked, for a short time; that it does not know is an answer too.

import { randomUUID } from 'node:crypto';
import type { EnvoyPreview } from '#core/feed-message.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { parseEnvoyPreview } from '#registry/feed/schema/parse-preview.ts';
import type { FeedCall } from '#registry/feed/subscriber.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';

/** A caller waits for it, and so does nobody else: xds-server translates a tenant within milliseconds. */
const ANSWER_LIMIT_MS = 2_000;

/** A tenant of this size has thousands of tools; translating it would hold up every Envoy. */
const MAX_TENANT_BYTES = 8 * 1024 * 1024;

/** Questions under way. Each may hold a tenant in the memory of a slow stream. */
const MAX_QUESTIONS = 8;

export type NoPreview = 'no-xds-server' | 'no-answer' | 'too-large';

export type PreviewOutcome = Result<EnvoyPreview, NoPreview>;

export type PreviewDesk = {
  /** Asks one consumer that answers previews. Never rejects. */
  ask(tenant: Tenant): Promise<PreviewOutcome>;
  /** A consumer's stream is open and may be asked, or is over. */
  opened(call: FeedCall): void;
  closed(call: FeedCall): void;
  /** False: nobody asked that, there, or it cannot be read. */
  answered(call: FeedCall, answer: { readonly id: string; readonly answer: Buffer }): boolean;
};

type Question = { readonly call: FeedCall; readonly settle: (outcome: PreviewOutcome) => void };

/** @param limitMs how long an answer is waited for. */
export const createPreviewDesk = (limitMs: number = ANSWER_LIMIT_MS): PreviewDesk => {
  const streams = new Set<FeedCall>();
  const questions = new Map<string, Question>();

  const put = (call: FeedCall, tenant: Buffer): Promise<PreviewOutcome> =>
    new Promise((resolve) => {
      const id = randomUUID();
      const settle = (outcome: PreviewOutcome): void => {
        clearTimeout(timer);
        questions.delete(id);
        resolve(outcome);
      };
      const timer = setTimeout(() => settle(err('no-answer')), limitMs);
      questions.set(id, { call, settle });
      call.write({ message: 'preview', preview: { id, tenant } });
    });

  return {
    ask: async (tenant) => {
      const call = [...streams].find((each) => !each.cancelled && !each.destroyed && !each.writableEnded);
      if (call === undefined) return err('no-xds-server');
      const bytes = jsonBytes(tenant);
      if (bytes.length > MAX_TENANT_BYTES) return err('too-large');
      return questions.size >= MAX_QUESTIONS ? err('no-answer') : put(call, bytes);
    },
    opened: (call) => void streams.add(call),
    closed: (call) => {
      streams.delete(call);
      for (const question of questions.values())
        if (question.call === call) question.settle(err('no-answer'));
    },
    answered: (call, { id, answer }) => {
      const question = questions.get(id);
      if (question?.call !== call) return false;
      const preview = parseEnvoyPreview(answer);
      question.settle(preview.ok ? ok(preview.value) : err('no-answer'));
      return preview.ok;
    },
  };
};
