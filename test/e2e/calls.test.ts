// The main job, through real Envoy: official clients of both lines list and call tools with the user's own token.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS, CONTOSO_TID, FABRIKAM_TID } from '#demo/directory.ts';
import { connectLegacy, connectModern } from '#test/support/mcp-clients.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';

let product: Product;
let tracker: string;
let reports: string;

beforeAll(async () => {
  product = await startProduct();
  tracker = product.serverUrl('tracker');
  reports = product.serverUrl('reports');
}, 300_000);
afterAll(() => product.stop());

const toolNames = (result: { tools: { name: string }[] }): string[] =>
  result.tools.map((tool) => tool.name).toSorted();

const whoami = async (token: string): Promise<Record<string, unknown>> => {
  const answer = await callTool(tracker, token, { name: 'whoami' });
  expect(answer.status, answer.text).toBe(200);
  return answer.message.result?.['structuredContent'] as Record<string, unknown>;
};

describe('lists', () => {
  const expected: Record<string, string[]> = {
    alice: ['close_issue', 'create_issue', 'get_issue', 'list_issues', 'search_documents', 'whoami'],
    bob: ['create_issue', 'get_issue', 'list_issues', 'search_documents', 'whoami'],
    // Her token leaves her groups out: they are asked of the directory.
    olga: ['create_issue', 'get_issue', 'list_issues', 'search_documents', 'whoami'],
    paula: ['list_issues', 'whoami'],
  };

  it.each(Object.keys(expected))(
    'show %s exactly the tools that grants permit, to clients of both eras',
    async (user) => {
      const token = await product.token(user);
      const modern = await connectModern(tracker, token);
      expect(toolNames(await modern.listTools())).toEqual(expected[user]);
      await modern.close();
      const legacy = await connectLegacy(tracker, token);
      expect(toolNames(await legacy.client.listTools())).toEqual(expected[user]);
      await legacy.client.close();
    },
  );

  it('refuse every tool that is not listed, and no other', async () => {
    const token = await product.token('paula');
    for (const name of expected['alice'] ?? []) {
      const answer = await callTool(tracker, token, { name, arguments: {} });
      const refused = answer.message.error?.data['reason'] === 'tool_not_granted';
      expect(refused, `${name}: ${answer.text}`).toBe(!(expected['paula'] ?? []).includes(name));
    }
  });
});

describe('the token that arrives at the server', () => {
  it('is issued for the server, names the calling user, and is not the one the caller sent', async () => {
    const token = await product.token('alice');
    const seen = await whoami(token);
    expect(seen).toMatchObject({ aud: APPLICATION_IDS.trackerApi, tid: CONTOSO_TID, kind: 'user' });
    expect(seen['app']).toBe(APPLICATION_IDS.gatewayTracker);
    const digests = (await product.callsSeenBy('tracker')).map((call) => call.digest);
    expect(digests.length).toBeGreaterThan(0);
    expect(digests).not.toContain(product.fingerprint(token));
  });

  it('keeps two users apart', async () => {
    const [alice, bob] = await Promise.all(
      ['alice', 'bob'].map(async (user) => whoami(await product.token(user))),
    );
    expect(alice?.['oid']).toBe('10000000-aaaa-4aaa-8aaa-00000000000a');
    expect(bob?.['oid']).toBe('10000000-bbbb-4bbb-8bbb-00000000000b');
  });

  it('is an app token for an app-only caller', async () => {
    const seen = await whoami(await product.token('--app', 'nightly-report'));
    expect(seen).toMatchObject({
      aud: APPLICATION_IDS.trackerApi,
      kind: 'app',
      app: APPLICATION_IDS.gatewayTracker,
    });
  });

  it('knows a partner by tid and oid of the home directory', async () => {
    const seen = await whoami(await product.token('paula'));
    expect(seen).toMatchObject({
      tid: FABRIKAM_TID,
      oid: '20000000-cccc-4ccc-8ccc-00000000000c',
      kind: 'user',
    });
  });
});

describe('official clients', () => {
  it('call tools with the stateless revision', async () => {
    const client = await connectModern(tracker, await product.token('alice'));
    const result = await client.callTool({ name: 'search_documents', arguments: { query: 'password' } });
    expect(result.isError ?? false).toBe(false);
    await client.close();
  });

  it('get a refusal as an error they can show, with reason, contact and request id', async () => {
    const client = await connectModern(tracker, await product.token('bob'));
    const refused = client.callTool({ name: 'close_issue', arguments: { id: 'X' } });
    await expect(refused).rejects.toMatchObject({
      code: -31302,
      data: { reason: 'tool_not_granted', requestId: expect.any(String), contact: expect.any(String) },
    });
    await client.close();
  });

  it('live through a session of the older era: open, list, call with progress, end', async () => {
    const { client, transport } = await connectLegacy(
      reports,
      await product.token('alice', '--server', 'reports'),
    );
    expect(transport.sessionId).toEqual(expect.any(String));
    expect(toolNames(await client.listTools())).toEqual(['build_report', 'watch_queue', 'whoami']);
    const progress: number[] = [];
    await client.callTool({ name: 'build_report', arguments: { title: 'e2e' } }, undefined, {
      onprogress: (step) => progress.push(step.progress),
    });
    expect(progress.length).toBeGreaterThanOrEqual(3);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    const ended = transport.sessionId ?? '';
    await transport.terminateSession();
    await client.close();
    const stale = await fetch(reports, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await product.token('alice', '--server', 'reports')}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': ended,
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    expect(stale.status).toBe(404);
  });

  it('cancel a call in flight: the server hears of it', async () => {
    const { client } = await connectLegacy(reports, await product.token('alice', '--server', 'reports'));
    const abort = new AbortController();
    let events = 0;
    const call = client.callTool({ name: 'watch_queue', arguments: { seconds: 30 } }, undefined, {
      signal: abort.signal,
      onprogress: () => {
        events += 1;
        if (events === 2) abort.abort();
      },
    });
    await expect(call).rejects.toThrow();
    expect(events).toBeLessThan(5);
    await expect.poll(product.allLogs).toMatch(/"watch_queue ended","events":\d,"cancelled":true/);
    await client.close();
  });

  it('follow a stream for longer than a minute, each event as it happens', async () => {
    const { client } = await connectLegacy(reports, await product.token('alice', '--server', 'reports'));
    const arrivals: number[] = [];
    const options = {
      onprogress: () => arrivals.push(Date.now()),
      timeout: 120_000,
      resetTimeoutOnProgress: true,
    };
    await client.callTool({ name: 'watch_queue', arguments: { seconds: 65 } }, undefined, options);
    const span = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
    expect(span).toBeGreaterThan(60_000);
    const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? at));
    expect(Math.max(...gaps)).toBeLessThan(5_000);
    await client.close();
  }, 120_000);
});
