// What a server gives a caller for himself, through the real Envoy, ext-authz and ext-proc: results that caches might keep,
// and the state it gives along when it asks for input, which is put back for the caller and the call it was given to.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ResponseGuard } from '#core/response-guard.ts';
import { deriveSessionKey } from '#core/session-key.ts';
import {
  MAX_AGE_SECONDS,
  type SessionAnswer,
  type SessionGateway,
  startSessionGateway,
} from '#test/support/session-gateway.ts';
import { type SessionServer, startSessionServer } from '#test/support/session-server.ts';
import { SESSION_KEY } from '#test/support/session-world.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

let bench: SessionGateway;
let server: SessionServer;
let sequence = 0;

const STATE = 'state of the server: {"user":"alice"} \u00e9 \u0000';
const ASKED = {
  jsonrpc: '2.0',
  id: 1,
  result: { resultType: 'input_required', inputRequests: {}, requestState: STATE },
};
const DONE = '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}';

const serve = async (responseGuard?: ResponseGuard): Promise<void> => {
  sequence += 1;
  const tenant = tenantOf('acme', { desk: { '1.0.0': [server.url] }, shop: { '1.0.0': [server.url] } });
  await bench.update(
    snapshotOf(sequence, responseGuard === undefined ? tenant : { ...tenant, responseGuard }),
  );
};

type Sent = {
  readonly as?: string;
  readonly at?: string;
  readonly rpc?: string;
  readonly name?: string;
  readonly params?: object;
  readonly capabilities?: object;
};

const send = ({
  as = 'alice',
  at = 'desk',
  rpc = 'tools/call',
  name = 'search',
  params = {},
  capabilities = { elicitation: {} },
}: Sent = {}): Promise<SessionAnswer> => {
  const key = rpc === 'resources/read' ? 'uri' : 'name';
  return bench.send(`/t/acme/mcp/${at}`, {
    as,
    rpc,
    params: {
      [key]: name,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': capabilities,
      },
      ...params,
    },
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': rpc, 'mcp-name': name },
  });
};

const stateIn = ({ text }: SessionAnswer): string => {
  const json = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '');
  return JSON.parse(json).result.requestState as string;
};

const ask =
  (type: 'application/json' | 'text/event-stream' = 'application/json', message: object = ASKED) =>
  (response: import('node:http').ServerResponse): void => {
    const text = JSON.stringify(message);
    response.writeHead(200, { 'content-type': type });
    response.end(type === 'application/json' ? text : `data: ${text}\n\n`);
  };
const answer = (response: import('node:http').ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(DONE);

const given = async (sent: Sent = {}): Promise<string> => {
  server.answerWith = ask();
  const sealed = stateIn(await send(sent));
  server.answerWith = answer;
  server.reached.length = 0;
  return sealed;
};

const reasonOf = ({ text }: SessionAnswer): string => JSON.parse(text).error?.data?.reason as string;

beforeAll(async () => {
  bench = await startSessionGateway();
  server = await startSessionServer('red');
  await serve();
});
afterAll(async () => {
  await bench?.stop();
  await server?.stop();
});
beforeEach(() => {
  bench.keys = [SESSION_KEY];
  bench.laterMs = 0;
  bench.refusals.length = 0;
  server.reached.length = 0;
});

describe('what a caller reads', () => {
  it.each(['application/json', 'text/event-stream'] as const)(
    'is in no cache of others: %s',
    async (type) => {
      const result = { contents: [], ttlMs: 1_000, cacheScope: 'public' };
      server.answerWith = ask(type, { jsonrpc: '2.0', id: 1, result });
      const read = await send({ rpc: 'resources/read', name: 'file:///a', capabilities: {} });
      expect(read.text).toContain('"cacheScope":"private"');
      expect(read.text).not.toContain('public');
      expect(read.headers['cache-control']).toContain('private');
    },
  );
});

describe('the state of a server that asks for input', () => {
  it.each(['application/json', 'text/event-stream'] as const)('is sealed in %s', async (type) => {
    server.answerWith = ask(type);
    const sealed = stateIn(await send());
    expect(sealed).not.toContain('state');
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('alice');
  });

  it.each([
    ['a tool', {}],
    ['a prompt', { rpc: 'prompts/get', name: 'greet' }],
    ['a resource', { rpc: 'resources/read', name: 'file:///a' }],
  ] as const)('comes back to %s as it was, and nothing else of the body changes', async (_, sent) => {
    const sealed = await given(sent);
    const inputResponses = { confirm: { action: 'accept', content: { n: 1.5, t: 'x'.repeat(100_000) } } };
    const retried = await send({ ...sent, params: { inputResponses, requestState: sealed } });
    expect(retried.text).toBe(DONE);
    const [reached] = server.reached;
    const body = JSON.parse(reached?.body ?? '{}');
    expect(body.params.requestState).toBe(STATE);
    expect(body.params.inputResponses).toEqual(inputResponses);
    expect(Number(reached?.headers['content-length'] ?? Buffer.byteLength(reached?.body ?? ''))).toBe(
      Buffer.byteLength(reached?.body ?? ''),
    );
  });

  it('is sealed anew with every round', async () => {
    const first = await given();
    server.answerWith = ask();
    const second = stateIn(await send({ params: { requestState: first } }));
    expect(second).not.toBe(first);
    server.answerWith = answer;
    expect((await send({ params: { requestState: second } })).text).toBe(DONE);
  });

  it.each([
    ['another caller', { as: 'mallory' }],
    ['another application of the caller', { as: 'alice@other' }],
    ['another tool', { name: 'delete' }],
    ['another method', { rpc: 'prompts/get' }],
    ['another server', { at: 'shop' }],
  ] as const)('is nothing to %s', async (_, other) => {
    const sealed = await given();
    const refused = await send({ ...other, params: { requestState: sealed } });
    expect(reasonOf(refused)).toBe('request_state_unknown');
    expect(server.reached).toEqual([]);
    expect(bench.refusals.at(-1)).toMatchObject({ fault: 'foreign' });
  });

  it.each([
    ['the own one of a server', STATE],
    ['nothing', ''],
    ['no text', 7],
    ['null', null],
  ])('is refused where it is %s', async (_, requestState) => {
    server.answerWith = answer;
    const refused = await send({ params: { requestState } });
    expect(reasonOf(refused)).toBe('request_state_unknown');
    expect(server.reached).toEqual([]);
  });

  it('is refused with one bit changed, under a key that is gone, and when it is old', async () => {
    const sealed = await given();
    const changed = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`;
    expect(reasonOf(await send({ params: { requestState: changed } }))).toBe('request_state_unknown');
    bench.keys = [deriveSessionKey(Buffer.alloc(32, 9))];
    expect(reasonOf(await send({ params: { requestState: sealed } }))).toBe('request_state_unknown');
    bench.keys = [SESSION_KEY];
    bench.laterMs = (MAX_AGE_SECONDS + 2) * 1_000;
    expect(reasonOf(await send({ params: { requestState: sealed } }))).toBe('request_state_unknown');
  });

  it('is refused in a second spelling that only some parsers read', async () => {
    server.answerWith = answer;
    const refused = await send({ params: { RequestState: STATE } });
    expect(reasonOf(refused)).toBe('params_invalid');
    expect(server.reached).toEqual([]);
  });

  it.each([
    ['no text', 7],
    ['too long', 'x'.repeat(300_000)],
  ])('is not passed on where the server’s is %s', async (_, requestState) => {
    server.answerWith = ask('application/json', { ...ASKED, result: { ...ASKED.result, requestState } });
    const refused = await send();
    expect(reasonOf(refused)).toBe('answer_refused');
  });

  it('is neither sealed nor opened where the tenant wants it to pass', async () => {
    await serve({ requestState: 'pass' });
    server.answerWith = ask();
    expect(stateIn(await send())).toBe(STATE);
    server.answerWith = answer;
    expect((await send({ params: { requestState: STATE } })).text).toBe(DONE);
    await serve();
  });

  it('never reaches a log', async () => {
    await given();
    await send({ params: { requestState: STATE } });
    expect(bench.written.join('')).not.toContain('state of the server');
  });
});
