// Unit tests of envoy-stream.ts: the clock for answers that never come. What is said is conversation.test.ts's matter.

import { EventEmitter } from 'node:events';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { modelResource, modelSnapshot } from '#test/support/xds-model-envoy.ts';
import { EnvoyStream } from '#xds-server/stream/envoy-stream.ts';
import { createStreamMetrics } from '#xds-server/stream/stream-metrics.ts';
import { WILDCARD } from '#xds-server/stream/subscription.ts';

type Request = { readonly type_url: string; readonly node: { readonly id: string } | null };

class Call extends EventEmitter {
  readonly nonces: string[] = [];
  /** Callbacks of what lies unread; undefined while the client reads. */
  unread: (() => void)[] | undefined;
  write(nonce: Buffer, onSent: () => void): void {
    this.nonces.push(nonce.toString());
    if (this.unread === undefined) onSent();
    else this.unread.push(onSent);
  }
  end(): void {
    this.emit('close');
  }
}

const ASKS: Request = {
  type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  node: { id: 'one' },
};

let call: Call;
let stream: EnvoyStream<Request>;
let nonce: string;

beforeEach(() => {
  vi.useFakeTimers();
  nonce = '';
  call = new Call();
  const metrics = createStreamMetrics(createMetrics('test'));
  stream = new EnvoyStream<Request>(
    call as unknown as ServerDuplexStream<Request, Buffer>,
    {
      protocol: 'delta',
      heard: (_, kind) => ({ kind, nonce, ask: { subscribe: [WILDCARD], unsubscribe: [], held: {} } }),
      response: (told) => Buffer.from(told.nonce),
    },
    {
      logger: createLogger('test', 'silent'),
      metrics,
      nonces: '',
      admit: () => undefined,
      isCurrent: () => true,
      onStatus: () => undefined,
      onEnd: () => undefined,
    },
  );
  stream.publish(world(1));
  call.emit('data', ASKS);
});
afterEach(() => {
  stream.end();
  vi.useRealTimers();
});

const world = (sequence: number) => modelSnapshot(sequence, { cluster: [modelResource('a', '1')] });

describe('an Envoy that does not answer', () => {
  it('is told again ever less often: a slow one gets to answer, a hung one piles up little', () => {
    expect(call.nonces).toHaveLength(1);
    vi.advanceTimersByTime(5_000);
    expect(call.nonces).toHaveLength(2);
    vi.advanceTimersByTime(9_999);
    expect(call.nonces).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(call.nonces).toHaveLength(3);
    vi.advanceTimersByTime(3_600_000);
    expect(call.nonces.length).toBeLessThan(20);
  });

  it('is given up as soon while the registry goes on changing', () => {
    for (let sequence = 2; sequence < 7; sequence += 1) {
      vi.advanceTimersByTime(1_000);
      stream.publish(world(sequence));
    }
    expect(call.nonces).toHaveLength(2);
  });

  it('is waited for as briefly as ever once it has answered', () => {
    vi.advanceTimersByTime(15_000);
    expect(call.nonces).toHaveLength(3);
    nonce = call.nonces.at(-1) ?? '';
    call.emit('data', ASKS);
    stream.publish(modelSnapshot(2, { cluster: [modelResource('a', '2')] }));
    const before = call.nonces.length;
    vi.advanceTimersByTime(5_000);
    expect(call.nonces.length).toBe(before + 1);
  });
});

describe('an Envoy that does not read', () => {
  it('has nothing more said to it, whatever changes, and is then told the newest', () => {
    call.unread = [];
    nonce = call.nonces.at(-1) ?? '';
    stream.publish(world(1));
    call.emit('data', ASKS);
    stream.publish(modelSnapshot(2, { cluster: [modelResource('a', '2')] }));
    const before = call.nonces.length;
    for (let sequence = 3; sequence < 100; sequence += 1)
      stream.publish(modelSnapshot(sequence, { cluster: [modelResource('a', String(sequence))] }));
    vi.advanceTimersByTime(3_600_000);
    expect(call.nonces).toHaveLength(before);
    const unread = call.unread;
    call.unread = undefined;
    for (const onSent of unread) onSent();
    nonce = call.nonces.at(-1) ?? '';
    call.emit('data', ASKS);
    expect(call.nonces).toHaveLength(before + 1);
  });
});
