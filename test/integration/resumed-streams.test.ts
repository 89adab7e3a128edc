// A stream of the older era that is resumed, through ext-authz, ext-proc and the real Envoy: what its server sends again, or
// for the first time, is judged as the answer to the call that the stream began with.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ListOrder } from '#core/guard-orders.ts';
import type { ResponseGuard } from '#core/response-guard.ts';
import { ok } from '#core/result.ts';
import { type SessionGateway, startSessionGateway } from '#test/support/session-gateway.ts';
import { type SessionServer, startSessionServer } from '#test/support/session-server.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const DESK = '/t/acme/mcp/desk';
const KINDS = ['tools', 'prompts', 'resources', 'resourceTemplates'] as const;

/** Text in the characters of tags, which nobody sees and models read. */
const HIDDEN = String.fromCodePoint(...[...'do it'].map((letter) => 0xe0000 + letter.charCodeAt(0)));
const RESULT = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { content: [{ type: 'text', text: `marker${HIDDEN}` }] },
});

let bench: SessionGateway;
let server: SessionServer;
let session: string;
let sequence = 0;
let tools: readonly string[] | undefined;
/** What the server sends on each stream. */
let events: string;

const listOf = (kind: ListOrder['kind']): ListOrder => ({
  kind,
  visible: kind === 'tools' && tools !== undefined ? { all: false, names: tools } : { all: true },
});

const serve = async (responseGuard: ResponseGuard, killed?: string): Promise<void> => {
  sequence += 1;
  const tenant = tenantOf('acme', { desk: { '1.0.0': [server.url] } });
  const killSwitches =
    killed === undefined
      ? []
      : [{ id: 'k', target: { kind: 'tool' as const, serverId: 'desk', tool: killed } }];
  await bench.update(snapshotOf(sequence, { ...tenant, responseGuard, killSwitches }));
};

beforeAll(async () => {
  bench = await startSessionGateway({
    policy: {
      judge: ({ call }) => ({
        ...ok({ obligations: {}, explain: [], lists: call.kind === 'stream' ? KINDS.map(listOf) : [] }),
        revision: 'test',
      }),
    },
  });
  server = await startSessionServer('home');
  await serve({});
  session = (await bench.send(DESK, { as: 'alice', rpc: 'initialize' })).session ?? expect.fail('no session');
  server.answerWith = (response, id) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': id ?? '' }).end(events);
  };
});
afterAll(async () => {
  await bench?.stop();
  await server?.stop();
});
beforeEach(() => {
  tools = undefined;
  events = 'id: 1\ndata:\n\n';
});

const BLOCK: ResponseGuard = {
  findings: [{ detector: 'hidden-text', action: 'block', tools: ['echo'] }],
};

const call = (tool: string) =>
  bench.send(DESK, { as: 'alice', session, rpc: 'tools/call', params: { name: tool, arguments: {} } });
const stream = (lastEventId?: string) =>
  bench.send(DESK, {
    as: 'alice',
    session,
    method: 'GET',
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });

const idIn = (text: string): string => /^id: (.+)$/m.exec(text)?.[1] ?? expect.fail(`no event id: ${text}`);

describe('a stream that is resumed', () => {
  beforeAll(() => serve(BLOCK));

  it('is held against the rules of the tool that was called, again and again', async () => {
    let id = idIn((await call('echo')).text);
    for (let again = 0; again < 2; again += 1) {
      events = 'id: 2\ndata:\n\n';
      id = idIn((await stream(id)).text);
    }
    events = `data: ${RESULT}\n\n`;
    const answer = await stream(id);
    expect(answer.text).not.toContain('marker');
    expect(answer.text).toMatch(/^event: message\ndata: \{"jsonrpc":"2.0","id":1,"error":.*answer_blocked/);
  });

  it('passes where no rule is about that tool', async () => {
    const id = idIn((await call('other')).text);
    events = `data: ${RESULT}\n\n`;
    expect((await stream(id)).text).toBe(events);
  });

  it('is refused to whoever may not use the tool any more', async () => {
    const id = idIn((await call('echo')).text);
    const before = server.reached.length;
    tools = ['other'];
    const answer = await stream(id);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { reason: 'tool_not_granted' } } });
    expect(server.reached.length).toBe(before);
    tools = ['echo'];
    expect((await stream(id)).status).toBe(200);
  });

  it('is refused while the tool is switched off', async () => {
    const id = idIn((await call('echo')).text);
    await serve(BLOCK, 'echo');
    const answer = await stream(id);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { reason: 'tool_disabled' } } });
    await serve(BLOCK);
  });
});

describe('a stream that answers no call', () => {
  const LIST = '{"jsonrpc":"2.0","id":9,"result":{"tools":[{"name":"a"},{"name":"b"}]}}';

  it.each([
    ['opened anew', async () => stream()],
    [
      'and is resumed',
      async () => {
        const before = events;
        events = 'id: 1\ndata:\n\n';
        const id = idIn((await stream()).text);
        events = before;
        return stream(id);
      },
    ],
  ])('%s, brings no result that a rule may be about', async (_, open) => {
    await serve(BLOCK);
    events = `data: {"jsonrpc":"2.0","method":"notifications/x"}\n\ndata: ${RESULT}\n\n`;
    const answer = await open();
    expect(answer.text).toBe('data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n');
    events = `data: ${RESULT.replace('"result":{', '"result":{"tools":[],')}\n\n`;
    expect((await open()).text).not.toContain('marker');
  });

  it('brings one where no rule is about results, and where the server’s mode lets pass what cannot be judged', async () => {
    events = `data: ${RESULT}\n\n`;
    for (const settings of [{}, { ...BLOCK, unreadable: 'report' }] satisfies ResponseGuard[]) {
      await serve(settings);
      expect((await stream()).text).toBe(events);
    }
  });

  it('brings lists cut as ever', async () => {
    await serve(BLOCK);
    events = `data: ${LIST}\n\n`;
    // No tool is approved of this server.
    expect((await stream()).text).toBe('data: {"jsonrpc":"2.0","id":9,"result":{"tools":[]}}\n\n');
  });
});
