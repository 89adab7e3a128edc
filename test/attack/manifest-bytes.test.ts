// Bytes that are too many, that two readers would read differently, or that say what nobody asked for (2, 6, 7): refused
// by the place at fault, with nothing kept. And that what is signed is what is stored, to the last byte.

import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminToken } from '#test/integration/registry-harness.ts';
import { type ManifestBench, refusalOf, startManifestBench } from '#test/support/manifest-bench.ts';
import { bytesOf, manifest1, manifest2, tool } from '#test/support/manifest-world.ts';

const MEBIBYTE = 1_048_576;

let bench: ManifestBench;
let count = 0;

beforeAll(async () => {
  bench = await startManifestBench();
});
afterAll(() => bench.registry.stop());
beforeEach(() => bench.enter(`tenant-${++count}`));

const TEXT = JSON.stringify(manifest2());
const inside = (from: string, to: string): string => {
  if (!TEXT.includes(from)) throw new Error(`the manifest has no ${from}`);
  return TEXT.replace(from, to);
};
const nested = (depth: number): object => (depth === 0 ? {} : { items: nested(depth - 1) });
const deep = (depth: number) => tool('a', { inputSchema: { type: 'object', ...nested(depth) } });
const manyTools = (length: number) =>
  Array.from({ length }, (_, n) => ({ name: `t${n}x`, inputSchema: { type: 'object' } }));

/** A body of `length` spaces, sent in pieces: nobody says beforehand how long it is. */
const inPieces = (length: number): ReadableStream<Uint8Array> => {
  let left = length;
  return new ReadableStream({
    pull: (controller) => {
      const size = Math.min(left, 65_536);
      left -= size;
      if (size > 0) controller.enqueue(new Uint8Array(size).fill(0x20));
      else controller.close();
    },
  });
};

describe('a body', () => {
  it.each<[string, () => BodyOf]>([
    ['of ten megabytes', () => new Uint8Array(10 * MEBIBYTE).fill(0x20)],
    ['of a byte more than a mebibyte', () => new Uint8Array(MEBIBYTE + 1).fill(0x20)],
    ['of ten megabytes, in pieces of unknown number', () => inPieces(10 * MEBIBYTE)],
    ['of a byte more than a mebibyte, in pieces', () => inPieces(MEBIBYTE + 1)],
  ])('%s is refused unread, whoever signed it', async (_what, make) => {
    const before = await bench.trace();
    const signature = await bench.sign(new Uint8Array(MEBIBYTE + 1).fill(0x20));
    expect(refusalOf(await bench.send(make(), signature))).toMatchObject({
      status: 413,
      code: 'body-too-large',
    });
    expect(await bench.trace()).toEqual(before);
  });

  it('of exactly a mebibyte is read', async () => {
    const bytes = Buffer.concat([bytesOf(manifest2()), Buffer.alloc(MEBIBYTE - TEXT.length, 0x20)]);
    expect(bytes.length).toBe(MEBIBYTE);
    expect((await bench.send(new Uint8Array(bytes), await bench.sign(bytes))).status).toBe(201);
  });

  it('in pieces is read like one in one', async () => {
    const bytes = bytesOf(manifest2());
    const pieces = new ReadableStream({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    expect((await bench.send(pieces, await bench.sign(bytes))).status).toBe(201);
  });

  it.each<[string, Buffer, number, string]>([
    ['nothing', Buffer.alloc(0), 400, 'manifest-not-json'],
    ['a byte-order mark before it', Buffer.from(`\ufeff${TEXT}`), 400, 'manifest-not-json'],
    ['UTF-16', Buffer.from(TEXT, 'utf16le'), 400, 'manifest-not-json'],
    ['Latin-1', Buffer.from(inside('Tracker team', 'Tracker t\u00e9am'), 'latin1'), 400, 'manifest-not-json'],
    [
      'an overlong encoding',
      Buffer.concat([Buffer.from(TEXT.slice(0, 2)), Buffer.from([0xc0, 0xaf]), Buffer.from(TEXT.slice(2))]),
      400,
      'manifest-not-json',
    ],
    ['compressed', gzipSync(TEXT), 400, 'manifest-not-json'],
    ['half of it', Buffer.from(TEXT.slice(0, TEXT.length / 2)), 400, 'manifest-not-json'],
    ['two of it', Buffer.from(TEXT + TEXT), 400, 'manifest-not-json'],
    ['a comma too many', Buffer.from(`${TEXT.slice(0, -1)},}`), 400, 'manifest-not-json'],
    ['a comment', Buffer.from(`/* v2 */${TEXT}`), 400, 'manifest-not-json'],
    ['single quotes', Buffer.from(TEXT.replaceAll('"', "'")), 400, 'manifest-not-json'],
    ['NaN', Buffer.from(inside('"type":"integer"', '"type":NaN')), 400, 'manifest-not-json'],
    [
      'a number that is infinite',
      Buffer.from(inside('"type":"integer"', '"maximum":1e999')),
      400,
      'manifest-not-json',
    ],
    [
      'a number that would be rounded',
      Buffer.from(inside('"type":"integer"', '"maximum":9007199254740993')),
      400,
      'manifest-not-json',
    ],
    ['half a surrogate pair', Buffer.from(inside('Tracker team', '\\ud800')), 400, 'manifest-not-json'],
    [
      'a member twice',
      Buffer.from(inside('"server":', '"server":"reports","server":')),
      400,
      'manifest-not-json',
    ],
    [
      'a member twice, once in escapes',
      Buffer.from(inside('"server":', '"s\\u0065rver":"reports","server":')),
      400,
      'manifest-not-json',
    ],
    [
      'a member twice, far inside',
      Buffer.from(inside('"type":"integer"', '"type":"string","type":"integer"')),
      400,
      'manifest-not-json',
    ],
    [
      'a member __proto__',
      Buffer.from(inside('"server":', '"__proto__":{},"server":')),
      400,
      'manifest-not-json',
    ],
    [
      'a member with a NUL',
      Buffer.from(inside('"server":', '"server\\u0000":1,"server":')),
      400,
      'manifest-not-json',
    ],
    ['a schema 200 deep', bytesOf(manifest2({ tools: [deep(200)] })), 400, 'manifest-not-json'],
    ['a hundred thousand brackets', Buffer.from('['.repeat(100_000)), 400, 'manifest-not-json'],
    ['a list of manifests', Buffer.from(`[${TEXT}]`), 400, 'manifest-not-json'],
    ['a text', Buffer.from('"manifest"'), 400, 'manifest-not-json'],
  ])('that is %s is refused, though it is signed', async (_what, bytes, status, code) => {
    const before = await bench.trace();
    const sent = await bench.send(new Uint8Array(bytes), await bench.sign(bytes));
    expect(refusalOf(sent)).toEqual({ status, code, pointers: [''] });
    expect(await bench.trace()).toEqual(before);
  });
});

type BodyOf = Parameters<ManifestBench['send']>[0];

describe('a manifest', () => {
  it.each<[string, object, string, string[]]>([
    ['10,000 tools', manifest2({ tools: manyTools(10_000) }), 'manifest-invalid', ['/tools']],
    ['1,001 tools', manifest2({ tools: manyTools(1_001) }), 'manifest-invalid', ['/tools']],
    [
      '65 endpoints',
      manifest2({ endpoints: Array.from({ length: 65 }, (_, n) => `https://tracker.example.com/${n}`) }),
      'manifest-invalid',
      ['/endpoints'],
    ],
    [
      'one endpoint twice',
      manifest2({ endpoints: ['https://tracker.example.com/mcp', 'https://tracker.example.com/mcp'] }),
      'manifest-invalid',
      ['/endpoints'],
    ],
    ['no endpoint', manifest2({ endpoints: [] }), 'manifest-invalid', ['/endpoints']],
    ['no tools at all', { ...manifest2(), tools: undefined }, 'manifest-invalid', ['/tools']],
    [
      'a tool twice',
      manifest2({ tools: [tool('a'), tool('b'), tool('a')] }),
      'manifest-lint-failed',
      ['/tools/2/name'],
    ],
    ['a schema 40 deep', manifest2({ tools: [deep(40)] }), 'manifest-lint-failed', ['/tools/0/inputSchema']],
    ['a field nobody knows', manifest2({ grants: [] }), 'manifest-invalid', ['/grants']],
    ['a field of the wrong case', { ...manifest2(), Server: 'reports' }, 'manifest-invalid', ['/Server']],
    ['a field whose name needs escapes', manifest2({ 'a/b~': 1 }), 'manifest-invalid', ['/a~1b~0']],
    [
      'unknown fields in three places',
      manifest2({ x: 1, owner: { name: 'T', y: 1 }, tools: [tool('a', { z: 1 })] }),
      'manifest-invalid',
      ['/owner/y', '/tools/0/z', '/x'],
    ],
    [
      'a tool without a schema',
      manifest2({ tools: [{ name: 'a' }] }),
      'manifest-invalid',
      ['/tools/0/inputSchema'],
    ],
    [
      'a tool whose schema is a list',
      manifest2({ tools: [tool('a', { inputSchema: [] })] }),
      'manifest-invalid',
      ['/tools/0/inputSchema'],
    ],
    [
      'a tool named in another script',
      manifest2({ tools: [tool('lіst')] }),
      'manifest-invalid',
      ['/tools/0/name'],
    ],
    [
      'a scope with a quote',
      manifest2({ tools: [tool('a', { requiredScopes: ['a"b'] })] }),
      'manifest-invalid',
      ['/tools/0/requiredScopes/0'],
    ],
    ['a server id that is a path', manifest2({ server: '../reports' }), 'manifest-invalid', ['/server']],
    ['a version that is a path', manifest2({ version: '1.0.0/../../x' }), 'manifest-invalid', ['/version']],
    [
      'scopes of version 1 and tools of version 2',
      manifest1({ tools: [tool('a', { requiredScopes: [] })] }),
      'manifest-invalid',
      ['/tools/0/requiredScopes'],
    ],
    [
      'schema version 3',
      manifest2({ schemaVersion: '3' }),
      'manifest-schema-version-unknown',
      ['/schemaVersion'],
    ],
    [
      'schema version 2.0',
      manifest2({ schemaVersion: '2.0' }),
      'manifest-schema-version-unknown',
      ['/schemaVersion'],
    ],
    [
      'the schema version as a number',
      manifest2({ schemaVersion: 2 }),
      'manifest-schema-version-unknown',
      ['/schemaVersion'],
    ],
    [
      'no schema version',
      { ...manifest2(), schemaVersion: undefined },
      'manifest-schema-version-unknown',
      ['/schemaVersion'],
    ],
  ])('with %s is refused by the field', async (_what, manifest, code, pointers) => {
    const before = await bench.trace();
    const refused = refusalOf(await bench.publish(manifest));
    expect({ ...refused, pointers: refused.pointers.toSorted() }).toEqual({ status: 422, code, pointers });
    expect(await bench.trace()).toEqual(before);
  });

  it('of a newer schema is refused with the name of that schema and of those that are known', async () => {
    const { body } = await bench.publish(manifest2({ schemaVersion: '3' }));
    expect(body.errors).toEqual([
      { pointer: '/schemaVersion', message: 'must be one of "1", "2"; given is "3"' },
    ]);
  });

  it('with a thousand tools is published', async () => {
    expect((await bench.publish(manifest2({ tools: manyTools(1_000) }))).status).toBe(201);
  });
});

const reversed = (value: object): string =>
  JSON.stringify(Object.fromEntries(Object.entries(value).toReversed()));

/** The same manifest as far as JSON is concerned. */
const WRITINGS: readonly (readonly [string, string])[] = [
  ['on one line', TEXT],
  ['on many lines', JSON.stringify(manifest2(), null, 4)],
  [
    'with tabs and a line break of Windows',
    `\t${JSON.stringify(manifest2(), null, '\t').replaceAll('\n', '\r\n')}\r\n`,
  ],
  ['with its members in another order', reversed(manifest2())],
  ['with escapes for plain letters', inside('Tracker team', '\\u0054racker\\u0020team')],
  ['with escaped slashes', TEXT.replaceAll('/', '\\/')],
];

const readBack = async (digest: string) => {
  const authorization = `Bearer ${await adminToken([`auditor:${bench.tenant}`])}`;
  const answer = await fetch(`${bench.registry.url}/v1/tenants/${bench.tenant}/manifests/${digest}`, {
    headers: { authorization },
  });
  return {
    bytes: Buffer.from(await answer.arrayBuffer()),
    signature: answer.headers.get('x-jws-signature'),
  };
};

describe('what is signed is what is stored:', () => {
  it.each(WRITINGS)('a manifest %s', async (_how, text) => {
    const bytes = Buffer.from(text);
    const signature = await bench.sign(bytes);
    const sent = await bench.send(new Uint8Array(bytes), signature);
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(sent).toMatchObject({ status: 201, body: { digest } });
    expect(await readBack(digest)).toEqual({ bytes, signature });
  });

  it.each(WRITINGS.slice(1))('a signature of it on one line is none of it %s', async (_how, text) => {
    const before = await bench.trace();
    const sent = await bench.send(text, await bench.sign(bytesOf(TEXT)));
    expect(refusalOf(sent)).toMatchObject({ status: 401, code: 'signature-invalid' });
    expect(await bench.trace()).toEqual(before);
  });

  it('and the same manifest in another writing is another manifest', async () => {
    expect((await bench.publish(TEXT)).status).toBe(201);
    const before = await bench.trace();
    for (const [how, text] of WRITINGS.slice(1))
      expect(refusalOf(await bench.publish(text)), how).toEqual({
        status: 409,
        code: 'manifest-version-taken',
        pointers: ['/version'],
      });
    expect((await bench.publish(TEXT, { header: { jti: randomUUID() } })).status).toBe(200);
    expect(await bench.trace()).toEqual(before);
  });
});
