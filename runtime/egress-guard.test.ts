// Unit tests of egress-guard.ts and egress-resolve.ts against a real HTTP server; only the name service is ours.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayError } from '#core/gateway-error.ts';
import { createEgressGuard, type EgressGuard } from '#runtime/egress-guard.ts';
import type { HostLookup } from '#runtime/egress-resolve.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const serve = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

const LIMITS = { timeoutMs: 2_000, maxBytes: 1_000 };

/** A guard with its own name service: each call of `lookup` takes the next answer, the last one stays. */
const guardWith = (allowPrivate: boolean, ...answers: string[][]): EgressGuard & { asked: () => number } => {
  let asked = 0;
  const lookup: HostLookup = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer === undefined) throw new Error('ENOTFOUND');
    return answer;
  };
  return { ...createEgressGuard({ allowPrivate, allowedHosts: [], lookup }), asked: () => asked };
};

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof GatewayError ? thrown.code : `not refused: ${String(thrown)}`;
};

describe('resolve()', () => {
  it('yields every address and the port to dial', async () => {
    const guard = guardWith(false, ['93.184.215.14', '2606:4700::1111']);
    expect(await guard.resolve('https://a.example/')).toEqual({
      ok: true,
      value: { addresses: ['93.184.215.14', '2606:4700::1111'], port: 443 },
    });
    expect(await guardWith(true).resolve('http://[::1]:9000/x')).toEqual({
      ok: true,
      value: { addresses: ['::1'], port: 9000 },
    });
  });

  it.each([
    ['one refused address among good ones', ['93.184.215.14', '10.0.0.1']],
    ['an address wrapped in IPv6', ['::ffff:10.0.0.1']],
    ['a metadata address', ['169.254.169.254']],
    ['no address at all', []],
    ['something that is no address', ['example.com']],
  ])('refuses %s', async (_title, answer) => {
    expect(await guardWith(false, answer).resolve('https://a.example/')).toMatchObject({ ok: false });
  });

  it('refuses a name that does not resolve', async () => {
    expect(await guardWith(false).resolve('https://a.example/')).toMatchObject({ ok: false });
  });

  it('keeps metadata addresses out even where private networks are allowed', async () => {
    expect(await guardWith(true, ['169.254.169.254']).resolve('http://a.example/')).toMatchObject({
      ok: false,
    });
  });
});

describe('fetch()', () => {
  it('gets and posts, with the name in Host and the vetted address under it', async () => {
    const port = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(201, { 'x-two': ['a', 'b'] });
        response.end(`${request.method} ${request.url} ${request.headers.host} ${Buffer.concat(chunks)}`);
      });
    });
    const guard = guardWith(true, ['127.0.0.1']);
    const got = await guard.fetch(`http://idp.example:${port}/keys?a=1`, LIMITS);
    expect(got.status).toBe(201);
    expect(got.headers.get('x-two')).toBe('a, b');
    expect(got.body).toBe(`GET /keys?a=1 idp.example:${port} `);
    const posted = await guard.fetch(`http://idp.example:${port}/token`, {
      ...LIMITS,
      method: 'POST',
      body: 'x=1',
    });
    expect(posted.body).toBe(`POST /token idp.example:${port} x=1`);
  });

  it('connects to nothing else when the name changes its answer between the check and the connection', async () => {
    let hits = 0;
    const port = await serve((_request, response) => {
      hits += 1;
      response.end();
    });
    const guard = guardWith(false, ['93.184.215.14'], ['127.0.0.1']);
    expect((await guard.resolve(`https://rebind.example:${port}/`)).ok).toBe(true);
    expect(await codeOf(guard.fetch(`https://rebind.example:${port}/`, LIMITS))).toBe('egress_refused');
    expect(guard.asked()).toBe(2);
    expect(hits).toBe(0);
  });

  it('asks the name service once per connection, so its answer cannot change in between', async () => {
    const port = await serve((_request, response) => response.end('first'));
    const guard = guardWith(true, ['127.0.0.1'], ['169.254.169.254']);
    expect((await guard.fetch(`http://rebind.example:${port}/`, LIMITS)).body).toBe('first');
    expect(guard.asked()).toBe(1);
  });

  it('refuses a URL by its text before anything is asked', async () => {
    const guard = guardWith(false, ['93.184.215.14']);
    expect(await codeOf(guard.fetch('https://127.0.0.1/', LIMITS))).toBe('egress_refused');
    expect(guard.asked()).toBe(0);
  });

  it.each([301, 302, 303, 307, 308, 304])('follows no redirect (%i)', async (status) => {
    let hits = 0;
    const port = await serve((_request, response) => {
      hits += 1;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await codeOf(guardWith(true).fetch(`http://127.0.0.1:${port}/`, LIMITS))).toBe('egress_refused');
    expect(hits).toBe(1);
  });

  it('reads no more than it was told to', async () => {
    const port = await serve((_request, response) => response.end('x'.repeat(1_001)));
    const guard = guardWith(true);
    expect(await codeOf(guard.fetch(`http://127.0.0.1:${port}/`, LIMITS))).toBe('provider_failed');
    const enough = await guard.fetch(`http://127.0.0.1:${port}/`, { ...LIMITS, maxBytes: 1_001 });
    expect(enough.body.length).toBe(1_001);
  });

  it('ends an answer that never ends', async () => {
    const port = await serve((_request, response) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    });
    const guard = guardWith(true);
    const slow = guard.fetch(`http://127.0.0.1:${port}/`, { timeoutMs: 150, maxBytes: 1_000_000 });
    expect(await codeOf(slow)).toBe('provider_failed');
  });

  it('refuses a compressed answer', async () => {
    const port = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000)));
    });
    expect(await codeOf(guardWith(true).fetch(`http://127.0.0.1:${port}/`, LIMITS))).toBe('provider_failed');
  });

  it.each([
    ['a connection that is refused', async () => 'http://127.0.0.1:1024/'],
    ['a name that does not resolve', async () => 'http://gone.example/'],
    [
      'a peer that hangs up',
      async () => `http://127.0.0.1:${await serve((request) => request.socket.destroy())}/`,
    ],
  ])('reports %s as a failed provider', async (_title, url) => {
    expect(await codeOf(guardWith(true).fetch(await url(), LIMITS))).toBe('provider_failed');
  });

  it('tells nothing of URL, headers or body in its errors', async () => {
    const url = 'http://127.0.0.1:1024/hunter2?secret=hunter2';
    const failed = guardWith(true).fetch(url, {
      ...LIMITS,
      method: 'POST',
      headers: { authorization: 'hunter2' },
      body: 'hunter2',
    });
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain('hunter2');
  });
});
