// Arguments of calls held against the pinned input schema, on the real Envoy and through ext-authz, in each mode and in
// both eras.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { CHECK_MODES, type CheckMode } from '#core/response-guard.ts';
import { pinnedTool } from '#test/support/answer-rules.ts';
import { type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';
import { type SessionGateway, startSessionGateway } from '#test/support/session-gateway.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const PRIVATE = 'alice@private.example';

const TOOL = pinnedTool('create_issue', {
  inputSchema: {
    type: 'object',
    properties: { title: { type: 'string' }, labels: { additionalProperties: { type: 'string' } } },
    required: ['title'],
  },
});

let bench: SessionGateway;
let reached = 0;

const upstream: Server = createServer((request, response) => {
  reached += 1;
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [] } }));
  });
});

beforeAll(async () => {
  bench = await startSessionGateway();
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const plain = tenantOf('acme', Object.fromEntries(CHECK_MODES.map((mode) => [mode, { '1.0.0': [url] }])));
  const servers = plain.servers.map((server) => ({
    ...server,
    responseGuard: { arguments: server.id as CheckMode },
    versions: server.versions.map((version) => ({
      ...version,
      protocolVersions: ['2025-11-25', '2026-07-28'],
      tools: [TOOL],
    })),
  }));
  await bench.update(snapshotOf(1, { ...plain, servers }));
});
afterAll(async () => {
  await bench?.stop();
  upstream.closeAllConnections();
  upstream.close();
});

const ERAS = {
  legacy: async (path: string, params: JsonObject) =>
    JSON.parse((await bench.send(path, { as: 'alice', rpc: 'tools/call', params })).text) as JsonObject,
  stateless: async (path: string, params: JsonObject) => {
    const request = statelessRequest('tools/call', params, { token: 'alice', id: 1 });
    const answer: RawAnswer = await send(`${bench.gateway.origin}${path}`, request);
    return answer.message as unknown as JsonObject;
  },
} as const;

describe.each(Object.keys(ERAS) as (keyof typeof ERAS)[])('a %s call', (era) => {
  const call = (mode: CheckMode, args: JsonObject): Promise<JsonObject> => {
    reached = 0;
    bench.written.length = 0;
    return ERAS[era](`/t/acme/mcp/${mode}`, { name: 'create_issue', arguments: args });
  };
  const recorded = (): string => bench.written.find((line) => line.includes('"arguments":{')) ?? '';

  it('with arguments that do not fit is refused, with the field and the keyword', async () => {
    const { error } = await call('refuse', { title: 1 });
    const data = { reason: 'arguments_invalid', field: 'params.arguments/title', keyword: 'type' };
    expect(error).toMatchObject({ code: -32602, data });
    expect(reached).toBe(0);
    expect(recorded()).toContain('"verdict":"invalid"');
  });

  it('is not told, nor recorded, by its own words', async () => {
    const { error } = await call('refuse', { title: 'x', labels: { [PRIVATE]: 1 } });
    expect(error).toMatchObject({ data: { field: 'params.arguments/labels/*', keyword: 'type' } });
    expect(recorded()).not.toContain(PRIVATE);
  });

  it('goes on where that is only reported, and is on record', async () => {
    expect(await call('report', {})).toMatchObject({ id: 1, result: {} });
    expect(reached).toBe(1);
    expect(recorded()).toContain('"mode":"report","verdict":"invalid","field":"params.arguments/title"');
  });

  it('goes on unseen where nobody asks, and everywhere if it fits', async () => {
    expect(await call('off', {})).toMatchObject({ id: 1, result: {} });
    expect(recorded()).toBe('');
    expect(await call('refuse', { title: 'x' })).toMatchObject({ id: 1, result: {} });
  });
});
