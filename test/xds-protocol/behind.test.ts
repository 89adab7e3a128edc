// Several xds-servers that are not equally far: a client that comes with something newer than ours is not taken back.
// The protocol says nothing of it; what it offers is that a client tells on a new connection what it holds.

import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '#test/support/xds-gateway.ts';
import {
  type MarkedWorld,
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

const publish = (sequence: number, world: MarkedWorld): void =>
  server.ads.publish(markedSnapshot(sequence, world));

/** A client that has had the routes of publication 8 from somebody and now comes to us. */
const comeBack = async (protocol: Protocol) => {
  publish(8, { route: { r: 'eight' } });
  const before = server.connect(protocol);
  before.subscribe('route', ['r']);
  const held = await before.take('route');
  await before.finish();
  return () => {
    const client = server.connect(protocol);
    client.resume('route', ['r'], held);
    return client;
  };
};

describe.each<Protocol>(['delta', 'sotw'])('a client that is further than we are, over %s', (protocol) => {
  it('is told nothing until we have caught up, and then what changed', async () => {
    const connect = await comeBack(protocol);
    publish(7, { route: { r: 'seven' } });
    const client = connect();
    await until('it is here', () => server.ads.nodes().length === 1);
    publish(7, { route: { r: 'seven, elsewhere' } });
    publish(9, { route: { r: 'nine' } });
    expect((await client.take('route')).resources).toEqual({ r: 'nine' });
    expect(await client.finish()).toEqual([]);
  });

  it('is sent away when we do not catch up and nobody says that ours is right: another server may be further', async () => {
    const connect = await comeBack(protocol);
    publish(7, { route: { r: 'seven' } });
    server.loseRegistry();
    const client = connect();
    expect(await client.failure()).toEqual({
      code: status.UNAVAILABLE,
      details: 'this server is behind what the node has',
    });
    expect(client.drain()).toEqual([]);
    expect((await server.metrics.render()).body).toMatch(/xds_behind_total\{[^}]*\} 1/);
  });

  it('is told ours in the end where the registry says so: its database was taken back', async () => {
    const connect = await comeBack(protocol);
    publish(7, { route: { r: 'seven' } });
    const client = connect();
    expect((await client.take('route')).resources).toEqual({ r: 'seven' });
    publish(8, { route: { r: 'another eight' } });
    expect((await client.take('route')).resources).toEqual({ r: 'another eight' });
  });

  it('is told at once where we are as far, and where it had everything from us', async () => {
    const connect = await comeBack(protocol);
    const client = connect();
    publish(8, { route: { r: 'eight, elsewhere' } });
    let mark = '';
    while (mark !== 'eight, elsewhere') mark = (await client.take('route')).resources['r'] ?? '';
    publish(2, { route: { r: 'another database' } });
    expect((await client.take('route')).resources).toEqual({ r: 'another database' });
  });

  it('may claim what it likes: a number without sense is none', async () => {
    publish(3, { route: { r: 'three' } });
    const client = server.connect(protocol);
    const number = '9'.repeat(30);
    client.resume('route', ['r'], { versions: { r: `x@${number}` }, version: `${number}.1` });
    expect((await client.take('route')).resources).toEqual({ r: 'three' });
  });
});
