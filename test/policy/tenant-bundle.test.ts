// Bundles of tenants as the real OPA builds and signs them: which are read, whose signature holds, and what each must
// prove before anybody is judged by it.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PublicJwk, PublisherKey } from '#core/publisher.ts';
import { readSignedBundle } from '#runtime/policy/bundle.ts';
import { tryPolicy } from '#runtime/policy/try-policy.ts';
import { archiveOf, buildTenantBundle } from '#test/support/tenant-bundle.ts';

const NOW_MS = Date.UTC(2026, 6, 28, 12);

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OTHER_EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }) as string;

const keyOf = (key: KeyObject, alg: PublicJwk['alg'], changes: Partial<PublisherKey> = {}): PublisherKey => ({
  kid: 'release',
  jwk: { ...(key.export({ format: 'jwk' }) as object), alg } as PublicJwk,
  ...changes,
});

const KEYS = [keyOf(EC.publicKey, 'ES256')];

const read = (bytes: Uint8Array, keys: readonly PublisherKey[] = []) =>
  readSignedBundle(bytes, { keys, nowMs: NOW_MS });

const DATA =
  '{"é": [1.50, 1e3, -0, "<&>\\u2028\\u2029\\u007f\\b\\f\\n\\u0001"], "b": {"a": null, "B": true}, "￿": 1, "😀": 2}';

const SIGNED = buildTenantBundle({
  files: { 'data.json': DATA },
  revision: 'r7',
  sign: { key: pem(EC.privateKey), algorithm: 'ES256', keyId: 'release' },
});

/** The archive with `from` as `to`, which must be as long; checksums are of headers only. */
const spoil = (bytes: Buffer, from: string, to: string): Buffer => {
  const text = gunzipSync(bytes).toString('latin1');
  expect(text).toContain(from);
  expect(to).toHaveLength(from.length);
  return gzipSync(Buffer.from(text.replace(from, to), 'latin1'));
};

describe('a signed bundle', () => {
  it.each([
    ['ES256', EC],
    ['RS256', RSA],
    ['PS256', RSA],
  ] as const)('is read when a registered key signed it with %s', async (algorithm, pair) => {
    const bytes = buildTenantBundle({
      files: { 'data.json': DATA },
      revision: 'r7',
      sign: { key: pem(pair.privateKey), algorithm, keyId: 'release' },
    });
    const result = await read(bytes, [keyOf(pair.publicKey, algorithm)]);
    expect(result).toMatchObject({
      ok: true,
      value: { bundle: { revision: 'r7' }, signer: { kid: 'release', thumbprint: expect.any(String) } },
    });
  });

  it.each<[string, readonly PublisherKey[], RegExp]>([
    ['another key of that name', [keyOf(OTHER_EC.publicKey, 'ES256')], /is not signed by key release/],
    [
      'a key of another name',
      [keyOf(EC.publicKey, 'ES256', { kid: 'old' })],
      /no key of the tenant in force/,
    ],
    ['no key at all', [], /no key of the tenant in force/],
    ['a key for another algorithm', [keyOf(RSA.publicKey, 'RS256')], /is not signed by key release/],
    [
      'a key that is out of force',
      [keyOf(EC.publicKey, 'ES256', { notAfter: '2026-01-01T00:00:00Z' })],
      /in force/,
    ],
    [
      'a key that is not yet in force',
      [keyOf(EC.publicKey, 'ES256', { notBefore: '2027-01-01T00:00:00Z' })],
      /in force/,
    ],
  ])('is refused where the tenant has %s', async (_what, keys, fault) => {
    expect(await read(SIGNED, keys)).toEqual({ ok: false, error: expect.stringMatching(fault) });
  });

  it.each<[string, string, string]>([
    ['a rule', 'package mcp.authz.grant', 'package mcp.authz.grand'],
    ['data', '"b":{"B":true', '"b":{"B":null'],
    ['the manifest', '"revision":"r7"', '"revision":"r8"'],
    ['the module', '\0asm\x01\0\0\0', '\0asm\x02\0\0\0'],
  ])('is refused once %s was changed', async (_what, from, to) => {
    expect(await read(SIGNED, KEYS)).toMatchObject({ ok: true });
    expect(await read(spoil(SIGNED, from, to), KEYS)).toEqual({
      ok: false,
      error: expect.stringMatching(/otherwise than signed/),
    });
  });

  it('is refused with a shared secret as its key, whatever its header says', async () => {
    const bytes = buildTenantBundle({ sign: { key: 'secret', algorithm: 'HS256', keyId: 'release' } });
    expect(await read(bytes, KEYS)).toMatchObject({ ok: false });
  });

  it.each<[string, object]>([
    ['no signature', { signatures: [] }],
    ['two signatures', { signatures: ['a.b.c', 'a.b.c'] }],
    ['a signature that is no JWT', { signatures: ['no'] }],
    ['a signature for a plug-in', { signatures: ['a.b.c'], plugin: 'custom' }],
  ])('is refused with %s', async (_what, signatures) => {
    const bytes = archiveOf([{ name: '.signatures.json', content: JSON.stringify(signatures) }]);
    expect(await read(bytes, KEYS)).toMatchObject({ ok: false });
  });
});

describe('a bundle', () => {
  it.each<[string, Parameters<typeof archiveOf>[0], RegExp]>([
    ['no module', [{ name: 'data.json', content: '{}' }], /holds no \/policy\.wasm/],
    ['what is no module', [{ name: 'policy.wasm', content: 'wasm' }], /is no WebAssembly module/],
    [
      'a module with memory of its own',
      [{ name: 'policy.wasm', content: Buffer.from('0061736d0100000005030100ff', 'hex') }],
      /1 memories of its own/,
    ],
    [
      'a module with two tables',
      [{ name: 'policy.wasm', content: Buffer.from('0061736d01000000040702700001700001', 'hex') }],
      /2 tables/,
    ],
    ['data in a folder', [{ name: 'a/data.json', content: '{}' }], /would be ignored/],
    ['a patch', [{ name: 'patch.json', content: '{}' }], /would be ignored/],
  ])('is refused with %s', async (_what, entries, fault) => {
    expect(await read(archiveOf(entries))).toEqual({ ok: false, error: expect.stringMatching(fault) });
  });
});

const tried = async (options: Parameters<typeof buildTenantBundle>[0]): Promise<string> => {
  const bundle = await read(buildTenantBundle(options));
  if (!bundle.ok) return bundle.error;
  const result = await tryPolicy(bundle.value.bundle);
  return result.ok ? 'accepted' : result.error;
};

const VISIBLE = `visible := {
	"tools": {"all": false, "names": []},
	"prompts": {"all": true, "names": []},
	"resources": {"all": true, "names": []},
	"resourceTemplates": {"all": true, "names": []},
}`;

const ALLOW = '{"allow": true, "obligations": {}, "explain": []}';

const only = (rules: string) => ({
  withRules: false,
  files: { 'p.rego': `package mcp.authz\n\n${rules}\n` },
});

describe('a policy that is tried', () => {
  it('is accepted when it is the rules that come with the product', async () => {
    expect(await tried({})).toBe('accepted');
  });

  it('is accepted when it permits everything: it can only narrow what the platform permits', async () => {
    expect(await tried(only(`decision := ${ALLOW}\n\n${VISIBLE}`))).toBe('accepted');
  });

  it.each<[string, Parameters<typeof buildTenantBundle>[0], RegExp]>([
    ['has no decision', only(`decision := ${ALLOW} if input.never\n\n${VISIBLE}`), /the answer is undefined/],
    [
      'has two decisions',
      only(`decision := ${ALLOW}\n\ndecision := {"allow": false} if input.tenant\n\n${VISIBLE}`),
      /a call of a caller without grants: .*(conflict|multiple)/,
    ],
    [
      'says a string for a boolean',
      only(`decision := {"allow": "true", "obligations": {}, "explain": []}\n\n${VISIBLE}`),
      /allow is neither true nor false/,
    ],
    [
      'gives a reason of its own',
      only(`decision := {"allow": false, "reason": "no", "obligations": {}, "explain": []}\n\n${VISIBLE}`),
      /reason is not one a policy may give/,
    ],
    [
      'shows no names',
      only(`decision := ${ALLOW}\n\nvisible := {"tools": true}`),
      /tools is not a list of names/,
    ],
    [
      'lacks an entrypoint',
      { ...only(`decision := ${ALLOW}`), entrypoints: ['mcp/authz/decision'] },
      /lacks mcp\/authz\/visible/,
    ],
    [
      'calls a builtin that WASM lacks',
      {
        limited: false,
        files: { 'now.rego': 'package mcp.authz.constraint\n\nviolated contains "x" if time.now_ns() > 0\n' },
      },
      /what WASM lacks: time\.now_ns/,
    ],
    [
      'reaches for the network',
      {
        limited: false,
        files: {
          'net.rego':
            'package mcp.authz.constraint\n\nviolated contains "x" if http.send({"method": "get", "url": "https://a.example"})\n',
        },
      },
      /what WASM lacks: http\.send/,
    ],
    [
      'is slow about many tools',
      only(
        `decision := ${ALLOW}\n\nvisible := object.union(base, {"n": count([1 | some a in input.server.tools; some b in input.server.tools; some c in input.server.tools; a.name == b.name; b.name == c.name])})\n\n${VISIBLE.replace('visible', 'base')}`,
      ),
      /a list of 1000 tools: (takes|no answer within)/,
    ],
    [
      'takes more memory than there is',
      only(
        `decision := ${ALLOW} if count([x | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); x := [a, b]]) > 0\n\n${VISIBLE}`,
      ),
      /a call of a caller without grants: /,
    ],
  ])('is refused when it %s', async (_what, options, fault) => {
    expect(await tried(options)).toMatch(fault);
  });
});
