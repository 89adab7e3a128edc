import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
import { parseManifest } from '#registry/manifest/parse-manifest.ts';
import { Manifest1Schema, upgradeManifest1 } from '#registry/manifest/schema/manifest-1.ts';
import { Manifest2Schema } from '#registry/manifest/schema/manifest-2.ts';
import { bytesOf, manifest1, manifest2, tool } from '#test/support/manifest-world.ts';

const parse = (manifest: unknown) => parseManifest(bytesOf(manifest));

describe('parseManifest', () => {
  it('fills in what may be left out', () => {
    expect(parse(manifest2({ tools: [tool('a')] }))).toMatchObject({
      ok: true,
      value: {
        manifest: {
          transport: 'streamable-http',
          tools: [{ requiredScopes: [], tags: [], idempotent: false }],
        },
      },
    });
  });

  it('reads version 1 as version 2', () => {
    const upgraded = parse(manifest1({ tools: [tool('a'), tool('b')], scopes: ['x', 'y'] }));
    const written = parse(
      manifest2({
        tools: ['a', 'b'].map((name) => tool(name, { requiredScopes: ['x', 'y'] })),
        owner: { name: 'Tracker team' },
      }),
    );
    expect(upgraded.ok && upgraded.value.manifest).toMatchObject({ schemaVersion: '2' });
    expect(upgraded.ok && upgraded.value.manifest).toEqual(written.ok && written.value.manifest);
  });

  it('upgrades without touching what it was given', () => {
    const before = parse(manifest1());
    const old = { ...manifest1(), transport: 'streamable-http' } as unknown as Parameters<
      typeof upgradeManifest1
    >[0];
    const copy = structuredClone(old);
    upgradeManifest1(old);
    expect(old).toEqual(copy);
    expect(before).toMatchObject({ ok: true });
  });

  it.each([
    ['/owner/name', '/owner'],
    ['/tools/12/requiredScopes/3', '/scopes/3'],
    ['/tools/0/name', '/tools/0/name'],
    ['/tools/0/inputSchema/properties/owner/name', '/tools/0/inputSchema/properties/owner/name'],
  ])('tells where %s of version 2 stands in version 1: %s', (pointer, expected) => {
    const parsed = parse(manifest1());
    expect(parsed.ok && parsed.value.pointerAsSent(pointer)).toBe(expected);
  });

  it.each([
    ['"3"', manifest2({ schemaVersion: '3' })],
    ['2', manifest2({ schemaVersion: 2 })],
    ['none', { server: 'tracker' }],
    [`"${'9'.repeat(31)}`, manifest2({ schemaVersion: '9'.repeat(1_000) })],
  ])('names a schema version it does not know: %s', (given, manifest) => {
    expect(parse(manifest)).toMatchObject({
      error: {
        code: 'manifest-schema-version-unknown',
        faults: [{ pointer: '/schemaVersion', message: `must be one of "1", "2"; given is ${given}` }],
      },
    });
  });

  it('refuses a requiredScopes of version 2 in version 1, rather than overrule it', () => {
    expect(parse(manifest1({ tools: [tool('a', { requiredScopes: [] })] }))).toMatchObject({
      error: { code: 'manifest-invalid', faults: [{ pointer: '/tools/0/requiredScopes' }] },
    });
  });
});

describe.each([
  ['1', Manifest1Schema, manifest1],
  ['2', Manifest2Schema, manifest2],
])('docs/schemas/manifest-%s.json', (version, schema, manifest) => {
  const published = JSON.parse(
    readFileSync(new URL(`../../docs/schemas/manifest-${version}.json`, import.meta.url), 'utf8'),
  );

  it(`is the schema that validates; if not: npm run -s manifest:schema -- ${version} > docs/schemas/manifest-${version}.json`, () => {
    const { $schema, $id, title, ...rest } = published;
    expect([$schema, $id, title].every((text) => typeof text === 'string')).toBe(true);
    expect(rest).toEqual(JSON.parse(JSON.stringify(inputForm(schema as unknown as JsonSchema))));
  });

  it('says of a manifest what the registry says', () => {
    const check = new Ajv2020({ strict: false }).compile(published);
    const manifests = [
      manifest(),
      manifest({ upstreamAuth: { mode: 'none', scopes: [] }, health: { path: '/healthz' } }),
      manifest({ extra: 1 }),
      manifest({ version: 'latest' }),
      manifest({ tools: [{ name: 'a' }] }),
      manifest({ tools: [tool('no spaces please')] }),
      manifest({ owner: 7 }),
      manifest({ endpoints: [] }),
    ];
    const verdicts = manifests.map((candidate) => check(candidate));
    expect(verdicts).toEqual(manifests.map((candidate) => parse(candidate).ok));
    expect(verdicts).toEqual([true, true, false, false, false, false, false, false]);
  });
});
