// The response guard on the real Envoy: what of a list answer reaches the client.

import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GuardOrders } from '#core/guard-orders.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, openCall, ordersOff, ordersTools, toolsAnswer } from '#test/support/guarded-call.ts';
import { markedEventId } from '#test/support/session-world.ts';

const MAX_BODY_BYTES = 200_000;
const MAX_EVENT_BYTES = 50_000;

let bench: GuardBench;
let guard: TestGuard;

beforeAll(async () => {
  guard = createTestGuard({ maxBodyBytes: MAX_BODY_BYTES, maxEventBytes: MAX_EVENT_BYTES });
  bench = await startGuardBench(guard.start);
});
afterAll(() => bench?.stop());
beforeEach(() => guard.reset());

const answerWith = (status: number, headers: Record<string, string>, body: string | Buffer): void => {
  bench.server = (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
};

const answerJson = (body: string, headers: Record<string, string> = {}): void =>
  answerWith(200, { 'content-type': 'application/json', ...headers }, body);

const pause = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

/** Sends each piece as a packet of its own. */
const answerEvents = (pieces: readonly (string | Buffer)[], pauseMs: number): void => {
  bench.server = async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.socket?.setNoDelay(true);
    for (const piece of pieces) {
      response.write(piece);
      await pause(pauseMs);
    }
    response.end();
  };
};

const namesIn = (text: string): string[] => {
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
  return (data.length > 0 ? data : [text]).flatMap((json) => {
    const message = JSON.parse(json) as { result?: { tools?: { name: string }[] } };
    return message.result?.tools?.map((tool) => tool.name) ?? [];
  });
};

const errorIn = (text: string) => (JSON.parse(text) as { id: unknown; error: { data: object } }) ?? {};

const refusal = (reason: string) => ({
  jsonrpc: '2.0',
  id: 'call-1',
  error: {
    code: expect.any(Number),
    message: expect.any(String),
    data: { reason, requestId: 'request-1' },
  },
});

describe('a JSON list', () => {
  it('shows only what is visible, and no cache may keep it', async () => {
    const body = toolsAnswer(['a', 'b', 'c'], { ttlMs: 1000, cacheScope: 'public' });
    answerJson(body, { 'content-length': String(body.length), etag: '"x"', 'cache-control': 'public' });
    const answer = await callGuarded(bench.url, ordersTools(['a', 'c']));
    expect(answer.status).toBe(200);
    expect(answer.end).toBe('whole');
    expect(JSON.parse(answer.text)).toEqual({
      jsonrpc: '2.0',
      id: 'call-1',
      result: {
        tools: ['a', 'c'].map((name) => ({ name, inputSchema: { type: 'object' } })),
        nextCursor: 'next',
        ttlMs: 1000,
        cacheScope: 'private',
      },
    });
    expect(answer.headers['cache-control']).toBe('private, no-store, no-transform');
    expect(answer.headers['etag']).toBeUndefined();
  });

  it('is cut alike when it arrives in many pieces', async () => {
    const body = toolsAnswer(Array.from({ length: 1500 }, (_, index) => `tool-${index}`));
    bench.server = async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      for (let at = 0; at < body.length; at += 20_000) {
        response.write(body.slice(at, at + 20_000));
        await pause(3);
      }
      response.end();
    };
    const answer = await callGuarded(bench.url, ordersTools(['tool-0', 'tool-700', 'tool-1499', 'other']));
    expect(namesIn(answer.text)).toEqual(['tool-0', 'tool-700', 'tool-1499']);
  });

  it.each([
    [
      'a body compressed twice',
      { 'content-type': 'application/json', 'content-encoding': 'gzip, gzip' },
      gzipSync(gzipSync(toolsAnswer(['b']))),
    ],
    ['another media type', { 'content-type': 'text/plain' }, toolsAnswer(['b'])],
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }, toolsAnswer(['b'])],
  ])('is refused with a 502 when it comes as %s', async (_, headers, body) => {
    answerWith(200, headers, body);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toEqual(refusal('answer_refused'));
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it.each([
    ['has no media type', {}, toolsAnswer(['b']), 'answer_refused'],
    [
      'repeats a key',
      { 'content-type': 'application/json' },
      `{"result":{"tools":[]},${toolsAnswer(['b']).slice(1)}`,
      'answer_refused',
    ],
    ['is a batch', { 'content-type': 'application/json' }, `[${toolsAnswer(['b'])}]`, 'answer_refused'],
    ['is not JSON', { 'content-type': 'application/json' }, '{"jsonrpc":"2.0"', 'answer_refused'],
    [
      'is too large',
      { 'content-type': 'application/json' },
      toolsAnswer(['b', 'x'.repeat(MAX_BODY_BYTES)]),
      'answer_too_large',
    ],
  ])('is replaced by a JSON-RPC error when it %s', async (_, headers, body, reason) => {
    answerWith(200, headers, body);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(answer.end).toBe('whole');
    expect(JSON.parse(answer.text)).toEqual(refusal(reason));
  });

  it('that never ends is broken off, and nothing of it is shown', async () => {
    bench.server = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(answer.end).toBe('broken');
    expect(answer.text).toBe('');
    expect(guard.logged('answer refused')).toMatchObject([{ reason: 'answer_too_large' }]);
  });

  it('is cut also under an error status', async () => {
    answerWith(500, { 'content-type': 'text/plain' }, toolsAnswer(['a', 'b']));
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(answer.status).toBe(500);
    expect(namesIn(answer.text)).toEqual(['a']);
  });

  it.each([
    [
      404,
      'application/json',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}',
    ],
    [503, 'text/html', '<h1>Service Unavailable</h1>'],
    [401, 'application/json', ''],
  ])('leaves an error of the server (%i, %s) as it is', async (status, type, body) => {
    answerWith(status, { 'content-type': type }, body);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect({ status: answer.status, text: answer.text }).toEqual({ status, text: body });
  });

  it.each(['application/json', 'text/event-stream', 'text/html'])(
    'is not fetched elsewhere: a redirect (%s) is refused',
    async (type) => {
      answerWith(307, { location: 'http://127.0.0.1:9/unguarded', 'content-type': type }, '');
      const answer = await callGuarded(bench.url, ordersTools(['a']));
      expect(answer.status).toBe(502);
      expect(answer.headers['location']).toBeUndefined();
      expect(JSON.parse(answer.text)).toEqual(refusal('answer_refused'));
    },
  );

  it('may be an empty 202', async () => {
    answerWith(202, {}, '');
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 202, text: '' });
  });
});

/** Of a GET: answers to several calls can be on it. */
const ordersStream = (names: readonly string[], overrides: Partial<GuardOrders> = {}): GuardOrders => {
  const { jsonRpcId: _id, ...orders } = ordersTools(names, overrides);
  return orders;
};

describe('a list in server-sent events', () => {
  const list = toolsAnswer(['a', 'b']);
  const stream = [
    ': keep-alive\r\n\r\n',
    'id: 1\r\ndata:\r\n\r\n',
    'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"p":"ü"}}\n\n',
    `id: 2\revent: message\rdata: ${list}\r\r`,
  ].join('');
  const expected = [
    ': keep-alive\n\n',
    `id: ${markedEventId('1', ordersTools(['a']))}\ndata: \n\n`,
    'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"p":"ü"}}\n\n',
    `event: message\nid: ${markedEventId('2', ordersTools(['a']))}\ndata: ${toolsAnswer(['a'])}\n\n`,
  ].join('');

  it('is cut wherever the network cuts it', async () => {
    const bytes = Buffer.from(stream);
    bench.server = async (request, response) => {
      const cut = Number(request.url?.slice(1));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.socket?.setNoDelay(true);
      response.write(bytes.subarray(0, cut));
      await pause(8);
      response.end(bytes.subarray(cut));
    };
    const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    while (cuts.length > 0) {
      const some = cuts.splice(0, 20);
      const answers = await Promise.all(
        some.map((cut) => callGuarded(`${bench.url}/${cut}`, ordersTools(['a']))),
      );
      for (const [index, answer] of answers.entries())
        expect(answer.text, `cut at ${some[index]}`).toBe(expected);
    }
  });

  it('is cut when it comes byte by byte', async () => {
    answerEvents(
      [...Buffer.from(stream)].map((byte) => Buffer.from([byte])),
      1,
    );
    expect((await callGuarded(bench.url, ordersTools(['a']))).text).toBe(expected);
  });

  it('is cut when several messages come in one piece', async () => {
    answerEvents([`data: ${list}\n\ndata: ${toolsAnswer(['b'])}\n\n: x\n\ndata: ${list}\n\n`], 0);
    const answer = await callGuarded(bench.url, ordersStream(['a']));
    expect(namesIn(answer.text)).toEqual(['a', 'a']);
  });

  it('hides in no comment and no id from readers that end lines elsewhere too', async () => {
    const hidden = `\u2028data: ${toolsAnswer(['b'])}\u2028\u2028`;
    answerEvents([`: x${hidden}\n\nid: 1${hidden}\ndata: ${list}\n\n`], 0);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(answer.text).not.toContain('\u2028');
    expect(answer.text).toMatch(/\n\ndata: [^\n]*\n\n$/);
    expect(namesIn(answer.text)).toEqual(['a']);
  });

  it('reaches the client event by event', async () => {
    const notification = (step: number) =>
      `data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"step":${step}}}\n\n`;
    answerEvents([notification(1), notification(2), `data: ${list}\n\n`], 1_000);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(answer.pieces.length).toBe(3);
    expect(answer.pieces[0]?.atMs).toBeLessThan(900);
    expect((answer.pieces[2]?.atMs ?? 0) - (answer.pieces[0]?.atMs ?? 0)).toBeGreaterThan(1_500);
    expect(namesIn(answer.text)).toEqual(['a']);
  });

  it.each([
    ['repeats a key', `data: {"result":{"tools":[]},${list.slice(1)}\n\n`, 'answer_refused'],
    ['is too large', `data: ${toolsAnswer(['b', 'x'.repeat(MAX_EVENT_BYTES)])}\n\n`, 'answer_too_large'],
    ['never ends', `data: ${'x'.repeat(2 * MAX_EVENT_BYTES)}`, 'answer_too_large'],
  ])('ends in a JSON-RPC error at an event that %s', async (_, event, reason) => {
    answerEvents(['data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n', event, `data: ${list}\n\n`], 30);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(answer.end).toBe('broken');
    const [, last = ''] = answer.text.split('\n\n');
    expect(errorIn(last.replace('event: message\ndata: ', ''))).toEqual(refusal(reason));
    expect(answer.text).not.toContain('"tools"');
  });

  it('of a resumed stream is cut by the kind it holds', async () => {
    const prompts = '{"jsonrpc":"2.0","id":9,"result":{"prompts":[{"name":"p"},{"name":"q"}]}}';
    answerEvents([`data: ${list}\n\ndata: ${prompts}\n\n`], 5);
    const orders = ordersStream(['b'], {
      lists: [
        { kind: 'tools', visible: { all: false, names: ['b'] } },
        { kind: 'prompts', visible: { all: false, names: ['q'] } },
        { kind: 'resources', visible: { all: true } },
        { kind: 'resourceTemplates', visible: { all: true } },
      ],
    });
    const answer = await callGuarded(bench.url, orders);
    expect(answer.text).toBe(
      `data: ${toolsAnswer(['b'])}\n\ndata: {"jsonrpc":"2.0","id":9,"result":{"prompts":[{"name":"q"}]}}\n\n`,
    );
  });
});

describe('a server that ends its answer in trailers', () => {
  let http2: GuardBench;
  beforeAll(async () => {
    http2 = await startGuardBench(guard.start, 'http2');
  });
  afterAll(() => http2?.stop());

  const answerInTrailers = (type: string, body: string): void => {
    http2.server = (_, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write(body);
      response.addTrailers({ 'x-end': 'yes' });
      response.end();
    };
  };

  it('has its JSON list refused: no chunk is left to put it into', async () => {
    answerInTrailers('application/json', toolsAnswer(['a', 'hidden']));
    const answer = await callGuarded(http2.url, ordersTools(['a']));
    // Envoy may not have sent the head yet: then the client gets a 502, else a broken answer.
    expect([answer.status === 502 || answer.end === 'broken', answer.text]).toEqual([true, '']);
    expect(guard.logged('answer refused')).toMatchObject([{ fault: 'trailers_before_end' }]);
  });

  it('has its events judged as ever', async () => {
    answerInTrailers('text/event-stream', `data: ${toolsAnswer(['a', 'hidden'])}\n\ndata: unfin`);
    const answer = await callGuarded(http2.url, ordersTools(['a']));
    expect({ end: answer.end, text: answer.text }).toEqual({
      end: 'whole',
      text: `data: ${toolsAnswer(['a'])}\n\n`,
    });
  });

  it('may send a JSON list without trailers', async () => {
    http2.server = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(toolsAnswer(['a', 'hidden']));
    };
    expect(namesIn((await callGuarded(http2.url, ordersTools(['a']))).text)).toEqual(['a']);
  });
});

describe('orders', () => {
  it.each([
    ['are missing', undefined],
    ['have another guard', { guard: 'on' }],
    ['lack a field', { guard: 'list', tenantId: 'acme' }],
  ])('that %s refuse the answer', async (_, orders) => {
    answerJson(toolsAnswer(['a']));
    const answer = await callGuarded(bench.url, orders);
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain('tools');
  });

  it('to do nothing keep a JSON answer away from the guard', async () => {
    answerJson(toolsAnswer(['a']));
    const answer = await callGuarded(bench.url, ordersOff());
    expect(answer.text).toBe(toolsAnswer(['a']));
    expect(guard.streams()).toBe(0);
  });

  it('of a denial keep it away from the guard', async () => {
    const answer = await callGuarded(bench.url, { guard: 'denied' });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 403, text: '{"denied":true}' });
    expect(guard.streams()).toBe(0);
  });

  it('to do nothing leave any other answer byte for byte', async () => {
    const body = 'data: {"x":1,"x":2}\r\n\r\nfield without end';
    answerWith(200, { 'content-type': 'text/event-stream' }, body);
    expect((await callGuarded(bench.url, ordersOff())).text).toBe(body);
    expect(guard.streams()).toBe(1);
  });
});

describe('log and metrics', () => {
  it('name what was refused, and hold nothing of the answer', async () => {
    answerJson(`{"jsonrpc":"2.0","id":"call-1","result":{"tools":"hidden-content"}}`);
    await openCall(bench.url, ordersTools(['a'])).answer;
    expect(guard.logged('answer refused')).toMatchObject([
      {
        tenant: 'acme',
        server: 'tracker',
        requestId: 'request-1',
        reason: 'answer_refused',
        fault: 'list_shape',
      },
    ]);
    expect(guard.logText()).not.toContain('hidden-content');
    const text = await guard.metricsText();
    expect(text).toMatch(/mcpgw_ext_proc_answers_refused_total\{[^}]*fault="list_shape"[^}]*\} 1/);
    expect(text).not.toContain('hidden-content');
  });
});
