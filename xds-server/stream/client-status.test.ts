// Unit tests of client-status.ts: every pair of states a resource can be in, told by running a conversation to it.

import { describe, expect, it } from 'vitest';
import { modelResource, modelSnapshot } from '#test/support/xds-model-envoy.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { clientStatus } from '#xds-server/stream/client-status.ts';
import {
  type Conversation,
  hear,
  openConversation,
  proceed,
  retarget,
} from '#xds-server/stream/conversation.ts';

const NOTHING = { subscribe: [], unsubscribe: [], held: {} };
const world = (sequence: number, ...versions: readonly [string, string][]): ResourceSnapshot =>
  modelSnapshot(sequence, {
    cluster: versions.map(([name, version]) => modelResource(name, version, { tenantId: 'acme' })),
  });
const connected = (held: Record<string, string> = {}): Conversation =>
  hear(openConversation('delta'), {
    kind: 'cluster',
    nonce: '',
    ask: { ...NOTHING, subscribe: ['*'], held },
  });
/** Says all there is to say, and hears the answer to it. */
const exchange = (conversation: Conversation, refusal?: string): Conversation => {
  const step = proceed(conversation);
  return step.told.reduce(
    (current, { kind, nonce }) =>
      hear(current, { kind, nonce, ask: NOTHING, ...(refusal === undefined ? {} : { refusal }) }),
    step.conversation,
  );
};
const brief = (conversation: Conversation) =>
  clientStatus(conversation).resources.map(({ name, wantedVersion, held, ...rest }) =>
    [name, `${held?.version ?? '-'}→${wantedVersion ?? '-'}`, rest.configStatus, rest.clientStatus].join(' '),
  );

describe('the status of a client', () => {
  it('is nothing before it asks, and what it claims before there is anything to tell', () => {
    expect(clientStatus(openConversation('sotw'))).toEqual({
      protocol: 'sotw',
      wantedSequence: -1,
      acknowledgedSequence: -1,
      resources: [],
    });
    expect(brief(connected({ a: '1' }))).toEqual(['a 1→- NOT_SENT ACKED']);
  });

  it('tells not sent, under way and taken apart', () => {
    const aimed = retarget(connected(), world(1, ['a', '1']));
    expect(brief(aimed)).toEqual(['a -→1 NOT_SENT REQUESTED']);
    expect(brief(proceed(aimed).conversation)).toEqual(['a -→1 STALE REQUESTED']);
    expect(brief(exchange(aimed))).toEqual(['a 1→1 SYNCED ACKED']);
  });

  it('shows a refusal beside the version the client goes on with, without the text of others', () => {
    const taken = exchange(retarget(connected(), world(1, ['a', '1'])));
    const refused = exchange(retarget(taken, world(2, ['a', '2'])), 'a: no');
    expect(brief(refused)).toEqual(['a 1→2 ERROR NACKED']);
    expect(clientStatus(refused).resources[0]?.error).toEqual({
      version: '2',
      message: 'a: no',
      tenantId: 'acme',
    });
    expect(brief(retarget(refused, world(3, ['a', '3'])))).toEqual(['a 1→3 NOT_SENT ACKED']);
  });

  it('shows what is to go until it is gone', () => {
    const taken = exchange(retarget(connected(), world(1, ['a', '1'])));
    const leaving = retarget(taken, world(2));
    expect(brief(leaving)).toEqual(['a 1→- NOT_SENT ACKED']);
    expect(brief(proceed(leaving).conversation)).toEqual(['a 1→- STALE ACKED']);
    expect(brief(exchange(leaving))).toEqual([]);
  });

  it('shows what was asked for and does not exist', () => {
    const asking = hear(openConversation('delta'), {
      kind: 'route',
      nonce: '',
      ask: { ...NOTHING, subscribe: ['ghost'] },
    });
    expect(brief(exchange(retarget(asking, world(1))))).toEqual(['ghost -→- SYNCED DOES_NOT_EXIST']);
  });
});
