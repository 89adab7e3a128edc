// Bad days of one Envoy, one tenant or one connection, of which nobody else may notice anything: the real Envoy serves
// beside them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { httpCall, openStream, type Stream } from '#test/support/http-call.ts';
import { XdsClient } from '#test/support/xds-client.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

describe.each(['DELTA_GRPC', 'GRPC'] as const)('over %s', (apiType) => {
  let gateway: Gateway;
  let xds: XdsServer;
  let one: Upstream;
  let two: Upstream;
  let stream: Stream;
  let sequence = 0;

  const publish = (...tenants: readonly Tenant[]): number => {
    sequence += 1;
    xds.update(snapshotOf(sequence, tenantOf('steady', { files: { '1.0.0': [one.url] } }), ...tenants));
    return sequence;
  };
  const acme = (...endpoints: readonly string[]) => tenantOf('acme', { files: { '1.0.0': endpoints } });
  const answerOf = async (tenant: string): Promise<string> => {
    const { status, text } = await httpCall(gateway.origin, `/t/${tenant}/mcp/files`);
    return status === 200 ? text.replace(/.*"upstream":"(\w+)".*/, '$1') : String(status);
  };
  const answers = (tenant: string, answer: string) =>
    until(
      `${tenant} answers ${answer}`,
      async () => (await answerOf(tenant).catch(() => '')) === answer,
      20_000,
    );
  const envoy = () => xds.ads.nodes().find(({ nodeId }) => nodeId === 'test');
  const settled = (wanted: number) =>
    until(`${wanted} is settled`, () => envoy()?.acknowledgedSequence === wanted, 20_000);

  beforeAll(async () => {
    [one, two] = await Promise.all([startUpstream('one'), startUpstream('two', '/two')]);
    gateway = await startGateway({ apiType });
    xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
    publish(acme(one.url));
    await answers('acme', 'one');
    stream = await openStream(gateway.origin, '/t/steady/mcp/files');
  }, 60_000);
  afterAll(async () => {
    expect(stream.isOpen()).toBe(true);
    stream.close();
    await xds?.stop();
    await gateway?.stop();
    await Promise.all([one?.stop(), two?.stop()]);
  });

  it.each([
    ['no endpoint at all', []],
    ['an endpoint that is no URL', ['tracker:8080/mcp']],
    ['a scheme nobody speaks', ['ftp://127.0.0.1/mcp']],
    ['a port that is none', ['http://127.0.0.1:99999/mcp']],
    ['a host that is none', ['http://[::gg]/mcp']],
    ['what is no text', [null as unknown as string]],
  ])(
    'a tenant with %s harms nobody, keeps what it had or is told so, and comes back',
    async (_, endpoints) => {
      await settled(publish(acme(one.url)));
      await settled(publish(acme(...endpoints), tenantOf('late', { files: { '1.0.0': [two.url] } })));
      expect(await answerOf('steady')).toBe('one');
      expect(await answerOf('late')).toBe('two');
      expect(await answerOf('acme')).toMatch(/^(one|503)$/);
      await settled(publish(acme(two.url)));
      await answers('acme', 'two');
    },
  );

  it('an Envoy that reconnects every 100 ms serves all the while and is told what changes', async () => {
    const failures: string[] = [];
    let isOver = false;
    const calls = (async () => {
      while (!isOver) {
        const answer = await answerOf('steady').catch(String);
        if (answer !== 'one') failures.push(answer);
      }
    })();
    let cut = 0;
    const restless = setInterval(() => {
      cut += xds.ads.nodes().length;
      xds.ads.endStreams();
    }, 100);
    for (let round = 0; cut < 20; round += 1) {
      publish(acme(round % 2 === 0 ? two.url : one.url));
      await answers('acme', round % 2 === 0 ? 'two' : 'one');
    }
    clearInterval(restless);
    await settled(publish(acme(two.url)));
    isOver = true;
    await calls;
    expect(failures).toEqual([]);
    await until('only the last stream is left', () => xds.ads.nodes().length === 1);
  }, 90_000);

  it('one that never acknowledges holds up nobody, and is shown as what it is', async () => {
    const silent = new XdsClient(gateway.xdsAddress, 'delta', { id: 'silent' });
    try {
      for (const kind of ['cluster', 'listener', 'scope'] as const) silent.subscribe(kind);
      await silent.next();
      for (let round = 0; round < 5; round += 1) {
        await settled(publish(acme(round % 2 === 0 ? one.url : two.url)));
        await answers('acme', round % 2 === 0 ? 'one' : 'two');
      }
      const shown = xds.ads.nodes().find(({ nodeId }) => nodeId === 'silent');
      expect(shown).toMatchObject({ acknowledgedSequence: 0, rejected: [] });
    } finally {
      silent.close();
    }
  }, 60_000);
});
