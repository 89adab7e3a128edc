// What every store keeps of channels of signals: when each was last heard of, nothing twice, and hints with what made them.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DirectoryHint } from '#core/feed-message.ts';
import type { SignalChannelKey } from '#registry/store/signal.ts';
import type { Store } from '#registry/store/store.ts';
import type { StoreUnderTest } from '#test/support/store-contract.ts';

const NOON_MS = Date.parse('2026-01-01T12:00:00Z');
const SSF: SignalChannelKey = { tenantId: 'acme', issuerId: 'home', channel: 'shared-signals' };
const GRAPH: SignalChannelKey = { tenantId: 'acme', issuerId: 'entra', channel: 'graph' };

const idOf = (jti: string) => ({ thumbprint: 'transmitter', jti, forgetAt: NOON_MS / 1_000 + 60 });

const hint = (id: string): DirectoryHint => ({
  kind: 'sweep-now',
  id,
  tenantId: 'acme',
  issuerId: 'entra',
  tid: '11111111-1111-4111-8111-111111111111',
  at: '2026-01-01T12:00:00.000Z',
});

export const describeSignals = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`channels of signals in the ${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await create();
      store = await under.open();
    });

    afterEach(async () => {
      await store.close();
      await under.remove();
    });

    it('are heard of once by each thing that came, also after a restart', async () => {
      expect(await store.takeSignal({ key: SSF, nowMs: NOON_MS, id: idOf('a') })).toBe(true);
      await store.close();
      store = await under.open();
      expect(await store.takeSignal({ key: SSF, nowMs: NOON_MS + 5_000, id: idOf('a') })).toBe(false);
      expect(await store.listSignalChannels()).toEqual([{ ...SSF, heardAtMs: NOON_MS }]);
      expect(await store.takeSignal({ key: SSF, nowMs: NOON_MS + 9_000, id: idOf('b') })).toBe(true);
      expect(await store.listSignalChannels()).toEqual([{ ...SSF, heardAtMs: NOON_MS + 9_000 }]);
    });

    it('keep what was said of the stream until something else is', async () => {
      const verified = { state: 'VGhpcyBpcw' };
      await store.takeSignal({ key: SSF, nowMs: NOON_MS, verified });
      await store.takeSignal({ key: SSF, nowMs: NOON_MS + 1_000, streamStatus: 'paused' });
      await store.takeSignal({ key: GRAPH, nowMs: NOON_MS });
      const channels = await store.listSignalChannels();
      expect(channels.toSorted((a, b) => b.channel.localeCompare(a.channel))).toEqual([
        {
          ...SSF,
          heardAtMs: NOON_MS + 1_000,
          verifiedAtMs: NOON_MS,
          verifiedState: verified.state,
          streamStatus: 'paused',
        },
        { ...GRAPH, heardAtMs: NOON_MS },
      ]);
    });

    it('tell the feed their hints, without a word in the audit', async () => {
      const before = await store.lastSequence();
      await store.takeSignal({ key: GRAPH, nowMs: NOON_MS, hints: [hint('one'), hint('two')] });
      const { items } = await store.readAfter(before, 100, before);
      expect(items.map((item) => item.kind === 'event' && item.event)).toEqual([hint('one'), hint('two')]);
      expect(await store.listAudit('acme', { limit: 10 })).toEqual([]);
      expect(await store.findAuditFault()).toBeUndefined();
    });
  });
};
