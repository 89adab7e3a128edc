// Asks those consumers that translate for Envoy: what would change if a tenant were like this? One of them is asked; that
// it does not know is an answer too.

import type { EnvoyPreview } from '#core/feed-message.ts';
import { err, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { canBeAsked, createQuestionDesk, type QuestionDesk } from '#registry/feed/question-desk.ts';
import { parseEnvoyPreview } from '#registry/feed/schema/parse-preview.ts';
import type { FeedCall } from '#registry/feed/subscriber.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';

/** A tenant of this size has thousands of tools; translating it would hold up every Envoy. */
const MAX_TENANT_BYTES = 8 * 1024 * 1024;

export type NoPreview = 'no-xds-server' | 'no-answer' | 'too-large';

export type PreviewOutcome = Result<EnvoyPreview, NoPreview>;

export type PreviewDesk = Omit<QuestionDesk<EnvoyPreview>, 'put'> & {
  /** Asks one consumer that answers previews. Never rejects. */
  ask(tenant: Tenant): Promise<PreviewOutcome>;
  /** A consumer's stream is open and may be asked. */
  opened(call: FeedCall): void;
};

/** @param limitMs how long an answer is waited for. */
export const createPreviewDesk = (limitMs?: number): PreviewDesk => {
  const streams = new Set<FeedCall>();
  const desk = createQuestionDesk(parseEnvoyPreview, limitMs);
  return {
    ask: async (tenant) => {
      const call = [...streams].find(canBeAsked);
      if (call === undefined) return err('no-xds-server');
      const bytes = jsonBytes(tenant);
      if (bytes.length > MAX_TENANT_BYTES) return err('too-large');
      return desk.put(call, (id) => ({ message: 'preview', preview: { id, tenant: bytes } }));
    },
    opened: (call) => void streams.add(call),
    closed: (call) => {
      streams.delete(call);
      desk.closed(call);
    },
    answered: desk.answered,
  };
};
