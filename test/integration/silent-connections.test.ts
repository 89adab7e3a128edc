// Clients that connect to the real Envoy and say nothing until every place is taken: those who were there are served all the
// while, and within seconds the silent have lost their places to those who speak.

import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSilentConnections } from '#test/chaos/faults/silent-connections.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const PLACES = 100;

/** Ten seconds until a client must have spoken, and a busy machine. */
const OVER_MS = 15_000;

let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;

const statusOfNew = async (): Promise<number> =>
  (await httpCall(gateway.origin, '/mcp/one').catch(() => undefined))?.status ?? 0;

/** One call on the connection of the agent. */
const statusOver = (agent: Agent): Promise<number> =>
  new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    const call = request(`${gateway.origin}/mcp/one`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    call.on('error', () => resolve(0)).end('{}');
  });

beforeAll(async () => {
  upstream = await startUpstream('one');
  gateway = await startGateway({ bootstrap: { maxConnections: PLACES } });
  xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  xds.update(snapshotOf(1, tenantOf('default', { one: { '1.0.0': [upstream.url] } })));
  await until('Envoy serves', async () => (await statusOfNew()) === 200);
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await upstream?.stop();
});

it('the silent lose their places, whether they have begun to speak or not', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await statusOver(agent)).toBe(200);
  const silent = await openSilentConnections(Number(new URL(gateway.origin).port), 2 * PLACES, (index) =>
    index % 2 === 0 ? 'mute' : 'begun',
  );
  await until('every place is taken', async () => (await statusOfNew()) === 0);
  expect(await statusOver(agent)).toBe(200);
  const tookMs = await until('new ones are served', async () => (await statusOfNew()) === 200, 60_000);
  expect(tookMs).toBeLessThan(OVER_MS);
  expect(await statusOver(agent)).toBe(200);
  await until('all have lost their places', () => silent.open() === 0);
  silent.stop();
  agent.destroy();
}, 90_000);
