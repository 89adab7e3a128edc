// Clients that do not read, do not answer or do not stay: what they cost is bounded, and nobody else notices.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFleet } from '#test/support/xds-fleet.ts';
import { until } from '#test/support/xds-gateway.ts';
import {
  markedSnapshot,
  type ProtocolServer,
  startProtocolServer,
} from '#test/support/xds-protocol-server.ts';
import type { Protocol } from '#xds-server/stream/conversation.ts';

let server: ProtocolServer;
beforeEach(async () => {
  server = await startProtocolServer();
});
afterEach(() => server.stop());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of buffers that are held: what nobody holds any more may lie about for as long as the collector pleases. */
const heldBytes = (): number => {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
};

/** Half a megabyte of routes, other ones each time. */
const large = (mark: number): string => `${mark} ${'x'.repeat(500_000)}`;

const responses = async (kind: string): Promise<number> =>
  Number(
    new RegExp(`xds_responses_total\\{kind="${kind}"[^}]*\\} (\\d+)`).exec(
      (await server.metrics.render()).body,
    )?.[1] ?? 0,
  );

describe.each<Protocol>(['delta', 'sotw'])('over %s', (protocol) => {
  it('a client that stops reading is told nothing more, costs no memory, and then gets the newest', async () => {
    const client = server.connect(protocol, 'slow');
    client.subscribe('route', ['r']);
    await server.serve({ route: { r: large(0) } });
    await client.take('route');
    client.stopReading();
    for (let mark = 1; mark <= 20; mark += 1) await server.serve({ route: { r: large(mark) } });
    const told = await responses('route');
    const before = heldBytes();
    for (let mark = 21; mark <= 1_000; mark += 1) await server.serve({ route: { r: large(mark) } });
    expect(await responses('route')).toBe(told);
    // Nearly half a gigabyte was published.
    await expect.poll(() => heldBytes() - before).toBeLessThan(100_000_000);
    expect(server.ads.nodes()).toMatchObject([{ nodeId: 'slow', acknowledgedSequence: 0 }]);
    client.readOn();
    let mark = '';
    while (!mark.startsWith('1000 ')) mark = (await client.take('route')).resources['r'] ?? '';
    expect(await responses('route')).toBeLessThanOrEqual(told + 2);
  });

  it('one that never answers holds up nobody else', async () => {
    const silent = server.connect(protocol, 'silent');
    const good = server.connect(protocol, 'good');
    for (const client of [silent, good]) client.subscribe('route', ['r']);
    await server.serve({ route: { r: '1' } });
    await good.take('route');
    await silent.next();
    for (let mark = 2; mark < 50; mark += 1) {
      await server.serve({ route: { r: String(mark) } });
      expect((await good.take('route')).resources).toEqual({ r: String(mark) });
    }
    expect(silent.drain()).toEqual([]);
  });

  it('one that comes and goes leaves nothing behind, and the others are served', async () => {
    const good = server.connect(protocol, 'good');
    good.subscribe('route', ['r']);
    await server.serve({ route: { r: '0' } });
    await good.take('route');
    for (let mark = 1; mark <= 50; mark += 1) {
      const restless = server.connect(protocol, 'restless');
      restless.subscribe('route', ['r']);
      await restless.next();
      await server.serve({ route: { r: String(mark) } });
      restless.close();
      expect((await good.take('route')).resources).toEqual({ r: String(mark) });
    }
    await until('the others are forgotten', () => server.ads.nodes().length === 1);
  });
});

describe('a fleet', () => {
  it('of 200 clients gets a change, each of them', async () => {
    const world = (mark: string) => ({
      cluster: { a: '1', b: '1' },
      endpoint: { a: '1', b: '1' },
      listener: { l: '1' },
      scope: { s: 'r' },
      route: { r: mark },
    });
    const { address, ads } = server;
    const fleet = await startFleet({ address, clients: 200, routes: ['r'] });
    try {
      for (let sequence = 1; sequence <= 5; sequence += 1) {
        ads.publish(markedSnapshot(sequence, world(String(sequence))));
        expect(await fleet.reached(sequence)).toHaveLength(200);
      }
      await until('all have settled', () =>
        ads.nodes().every(({ acknowledgedSequence }) => acknowledgedSequence === 5),
      );
      expect(ads.nodes()).toHaveLength(200);
    } finally {
      await fleet.stop();
    }
  });
});
