// Metrics of the ADS streams.

import type { Counter, Gauge, Metrics } from '#runtime/metrics.ts';
import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { Heard } from '#xds-server/stream/conversation.ts';

export type StreamMetrics = {
  readonly pushes: Counter<'kind'>;
  readonly answers: Counter<'kind' | 'answer'>;
  readonly nodes: Gauge<string>;
  readonly timeouts: Counter<string>;
  readonly behind: Counter<string>;
};

export const createStreamMetrics = (metrics: Metrics): StreamMetrics => ({
  pushes: metrics.counter('xds_responses_total', 'Responses sent to Envoys.', ['kind']),
  answers: metrics.counter('xds_answers_total', 'What Envoys said to responses: ack or nack.', [
    'kind',
    'answer',
  ]),
  nodes: metrics.gauge('xds_connected_envoys', 'Envoys with an open stream.'),
  behind: metrics.counter('xds_behind_total', 'Envoys that came with newer resources and waited in vain.'),
  timeouts: metrics.counter('xds_answer_timeouts_total', 'Times an Envoy left a response without an answer.'),
});

/** Counts a client's message, if it answers anything. */
export const countAnswer = (metrics: StreamMetrics, { kind, nonce, refusal }: Heard): void => {
  if (nonce !== '') metrics.answers.inc({ kind, answer: refusal === undefined ? 'ack' : 'nack' });
};

export const countPush = (metrics: StreamMetrics, kind: ResourceKind): void => metrics.pushes.inc({ kind });
