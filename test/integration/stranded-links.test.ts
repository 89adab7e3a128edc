// Between the real Envoy and our services: the other machine is gone and nobody says so. Connections stay open and carry
// nothing; calls are refused in words meanwhile, and within seconds Envoy dials anew, by itself.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeReason } from '#core/reason.ts';
import type { Address } from '#runtime/address.ts';
import { type FaultProxy, startFaultProxy } from '#test/chaos/faults/fault-proxy.ts';
import { type Answer, httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

/** A ping every five seconds, five more until it is given up, and a machine that has other things to do. */
const FOUND_OUT_MS = 15_000;

let directory: string;
let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;
const links = new Map<string, FaultProxy>();

const served = (name: string): Address => ({ kind: 'unix', path: join(directory, `${name}-served`) });
const dialled = (name: string): Address => ({ kind: 'unix', path: join(directory, name) });

const call = (server = 'one'): Promise<Answer> => httpCall(gateway.origin, `/mcp/${server}`);

const publish = (sequence: number, servers: readonly string[]): void => {
  const versions = Object.fromEntries(servers.map((id) => [id, { '1.0.0': [upstream.url] }]));
  xds.update(snapshotOf(sequence, tenantOf('default', versions)));
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stranded-'));
  for (const name of ['x', 'a', 'p'])
    links.set(name, await startFaultProxy({ at: dialled(name), target: served(name) }));
  upstream = await startUpstream('one');
  gateway = await startGateway({
    served: { extAuthz: served('a'), extProc: served('p') },
    bootstrap: {
      services: {
        xdsServer: dialled('x'),
        extAuthz: dialled('a'),
        extProc: dialled('p'),
        rateLimit: dialled('r'),
      },
    },
  });
  gateway.decide(() => ({ version: '1.0.0', guard: 'json' }));
  xds = await startXdsServer({ address: served('x'), settings: gateway.settings });
  publish(1, ['one']);
  await until('Envoy serves', async () => (await call().catch(() => undefined))?.status === 200);
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await upstream?.stop();
  for (const link of links.values()) await link.stop();
  rmSync(directory, { recursive: true });
});

it('calls and changes come through again when the machine of our services is gone', async () => {
  for (const link of links.values()) link.strand();
  publish(2, ['one', 'two']);
  const refused: Answer[] = [];
  const tookMs = await until(
    'calls come through on the new route',
    async () => {
      const answers = await Promise.all([call('one'), call('two')]);
      refused.push(...answers.filter(({ status }) => status >= 500));
      return answers.every(({ status }) => status === 200);
    },
    60_000,
  );
  expect(refused.length).toBeGreaterThan(0);
  for (const { text } of refused) expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: {} });
  expect(tookMs).toBeLessThan(FOUND_OUT_MS);
}, 90_000);

it('an answer that ext-proc does not look at in time is refused with the status of its reason', async () => {
  const link = links.get('p');
  link?.set({ isSilent: true });
  const { status, text } = await call();
  link?.set({});
  expect(JSON.parse(text)).toMatchObject({ error: { data: { reason: 'answer_refused', server: 'one' } } });
  expect(status).toBe(describeReason('answer_refused').httpStatus);
});
