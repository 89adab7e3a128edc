// Asks the xds-server that an Envoy is connected to what that Envoy is to have and says it has. No other can know, so the
// one that is asked is named.

import type { NodeConfig, NodeConfigQuestion } from '#core/feed-message.ts';
import { err, type Result } from '#core/result.ts';
import { canBeAsked, createQuestionDesk, type QuestionDesk } from '#registry/feed/question-desk.ts';
import { parseNodeConfig } from '#registry/feed/schema/node-config-schema.ts';
import type { FeedCall } from '#registry/feed/subscriber.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';

/** `not-here`: it is on the feed of another registry, or does not answer such questions. */
export type NodeConfigOutcome = Result<NodeConfig, 'not-here' | 'no-answer'>;

export type NodeDesk = Omit<QuestionDesk<NodeConfig>, 'put'> & {
  /** Asks the consumer of that name. Never rejects. */
  ask(consumer: string, question: NodeConfigQuestion): Promise<NodeConfigOutcome>;
  /** A consumer's stream is open and may be asked. */
  opened(call: FeedCall, consumer: string): void;
};

/** @param limitMs how long an answer is waited for. */
export const createNodeDesk = (limitMs?: number): NodeDesk => {
  const streams = new Map<FeedCall, string>();
  const desk = createQuestionDesk(parseNodeConfig, limitMs);
  return {
    ask: async (consumer, question) => {
      const [call] = [...streams].findLast(([each, name]) => name === consumer && canBeAsked(each)) ?? [];
      if (call === undefined) return err('not-here');
      const bytes = jsonBytes(question);
      return desk.put(call, (id) => ({ message: 'node_question', node_question: { id, question: bytes } }));
    },
    opened: (call, consumer) => void streams.set(call, consumer),
    closed: (call) => {
      streams.delete(call);
      desk.closed(call);
    },
    answered: desk.answered,
  };
};
