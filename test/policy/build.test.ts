// What the build refuses: rules WASM cannot run, and grants that look at arguments.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { buildBundle } from '#policies/build/build-bundle.ts';
import { readFromBundle } from '#policies/build/bundle-archive.ts';
import { CAPABILITIES } from '#policies/build/folders.ts';
import { findImpureGrants, readsArguments } from '#policies/build/grant-purity.ts';
import { loadSources, parseRules } from '#policies/build/sources.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { requireOpa } from '#test/policy/opa.ts';

const POLICIES = resolve(import.meta.dirname, '../../policies');

type Builtin = {
  readonly name: string;
  readonly infix?: string;
  readonly decl: { readonly args?: readonly unknown[] };
};
type Capabilities = { readonly builtins: readonly Builtin[] };

const opa = requireOpa();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-build-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
};

const rulesOfFolder = async () => parseRules(opa, directory, await loadSources(directory));

const compile = (...limits: readonly string[]) =>
  opa(['build', '-t', 'wasm', '-e', 'p/x', ...limits, '-o', 'out.tar.gz', 'p.rego'], { directory });

describe('capabilities.json', () => {
  const ours = JSON.parse(readFileSync(CAPABILITIES, 'utf8')) as Capabilities;

  const callOf = ({ name, infix, decl }: Builtin): string => {
    const args = (decl.args ?? []).map((_arg, index) => `input.a${index}`);
    return infix === undefined ? `${name}(${args.join(', ')})` : `${args[0]} ${infix} ${args[1]}`;
  };

  it('names only what every module has without help from its host', async () => {
    // These two are syntax (`:=`, `=`) and no calls.
    const callable = ours.builtins.filter(({ name }) => name !== 'assign' && name !== 'eq');
    const rules = callable.map((builtin, index) => `x[${index}] := y if y := (${callOf(builtin)})`);
    write('p.rego', ['package p', ...rules].join('\n').replaceAll('(walk(input.a0))', 'walk(input.a0)'));
    await compile('--capabilities', CAPABILITIES);
    const wasm = readFromBundle(readFileSync(join(directory, 'out.tar.gz')), '/policy.wasm');
    expect(() => loadPolicyModule(wasm, { data: {}, entrypoints: ['p/x'] })).not.toThrow();
  });

  it('declares each as this OPA does', async () => {
    const current = JSON.parse(await opa(['capabilities', '--current'])) as Capabilities;
    for (const builtin of ours.builtins) {
      const declared = current.builtins.find(({ name }) => name === builtin.name);
      expect(declared?.decl.args?.length ?? 0, builtin.name).toBe(builtin.decl.args?.length ?? 0);
    }
  });

  it.each([
    'time.now_ns()',
    'http.send({"method": "get", "url": "https://example.org"})',
    'io.jwt.decode(input.token)',
    'rand.intn("a", 5)',
    'opa.runtime()',
    'sprintf("%v", [input.a])',
    'time.parse_rfc3339_ns(input.request.time)',
    '$"hello {input.a}"',
  ])('does not let %s into a bundle', async (call) => {
    write('p.rego', `package p\n\nx := y if y := ${call}\n`);
    await compile();
    await expect(compile('--capabilities', CAPABILITIES)).rejects.toThrow();
  });

  it('is backed by a check when a module is loaded', async () => {
    write('p.rego', 'package p\n\nx := y if y := time.now_ns()\n');
    await compile();
    const wasm = readFromBundle(readFileSync(join(directory, 'out.tar.gz')), '/policy.wasm');
    expect(() => loadPolicyModule(wasm, { data: {}, entrypoints: ['p/x'] })).toThrow(/time\.now_ns/);
  });
});

describe('findImpureGrants', () => {
  it('finds nothing to object to in the default policy', async () => {
    const sources = join(POLICIES, 'mcp');
    const rules = await parseRules(opa, sources, await loadSources(sources));
    expect(rules.length).toBeGreaterThan(30);
    expect(findImpureGrants(rules)).toEqual([]);
  });

  it('refuses a policy without grants', async () => {
    write('a.rego', 'package mcp.authz\n\ndecision := {"allow": true}\n');
    expect(findImpureGrants(await rulesOfFolder())).toHaveLength(1);
  });

  it.each<[string, string]>([
    ['reads an argument', 'x if input.call.arguments.id == 1'],
    ['reads the values constraints look at', 'x if input.call.values["/id"] == 1'],
    ['reads the time', 'x if input.request.time > "2026"'],
    ['reads the address', 'x := input.request.ip'],
    ['takes the whole call', 'x := count(input.call)'],
    ['takes the whole input', 'x := input'],
    ['walks the input', 'x if { walk(input, [path, value]); value == "secret" }'],
    ['indexes the input by a variable', 'x if { some key in ["call"]; input[key].arguments.id == 1 }'],
    ['indexes the call by a variable', 'x if { some key in ["arguments"]; input.call[key].id == 1 }'],
    ['reads under not', 'x if not input.call.arguments.id'],
    ['reads in a comprehension', 'x := [id | id := input.call.arguments.id]'],
    ['reads in every', 'x if { every item in input.call.arguments.list { item > 1 } }'],
    ['reads in else', 'x := 1 if input.tenant == "a"\n\nelse := input.call.arguments.id'],
    ['reads in a key of its head', 'x[input.call.arguments.id] := 1'],
    ['reads in what it contains', 'x contains input.call.arguments.id'],
    ['reads in an index of another reference', 'x := input.grants[input.call.arguments.n]'],
    ['hands an argument to a function', 'f(v) := v\n\nx if f(input.call.arguments.id) == 1'],
    ['reads in a function', 'f(_) := input.call.arguments.id\n\nx if f(1) == 1'],
    ['replaces the input', 'y := input.tenant\n\nx if y == 1 with input as {"tenant": 1}'],
  ])('refuses a grant that %s', async (_title, body) => {
    write('grant.rego', `package mcp.authz.grant\n\n${body}\n`);
    expect(await rulesOfFolder().then(findImpureGrants)).not.toEqual([]);
  });

  it.each<[string, string]>([
    ['by its full path', 'x if data.other.reader'],
    ['by an import', 'import data.other\n\nx if other.reader'],
    ['by an import of the rule', 'import data.other.reader\n\nx if reader'],
    ['by an import under another name', 'import data.other.reader as innocent\n\nx if innocent'],
    ['by a variable', 'x if { some name in ["reader"]; data.other[name] }'],
    ['by an import of the input', 'import input.call as innocent\n\nx if innocent.arguments.id == 1'],
  ])('follows a grant to a rule elsewhere %s', async (_title, body) => {
    write('grant.rego', `package mcp.authz.grant\n\n${body}\n`);
    write('other.rego', 'package other\n\nreader if helper\n\nhelper if input.call.arguments.id == 1\n');
    expect(await rulesOfFolder().then(findImpureGrants)).not.toEqual([]);
  });

  it('holds what lists show to the same rule', async () => {
    write('grant.rego', 'package mcp.authz.grant\n\nx := 1\n');
    write('authz.rego', 'package mcp.authz\n\nvisible := input.call.arguments\n');
    expect(await rulesOfFolder().then(findImpureGrants)).not.toEqual([]);
  });

  it('fails the build', async () => {
    for (const { path, text } of await loadSources(join(POLICIES, 'mcp'))) {
      const spoilt = 'permits_tool(tool) if {\n\ttool.name == input.call.arguments.tool\n}\n';
      write(path, path.endsWith('grant.rego') ? `${text}\n${spoilt}` : text);
    }
    const build = buildBundle(opa, { name: 'x', sources: directory, vectors: join(POLICIES, 'vectors') });
    await expect(build).rejects.toThrow(/mcp\.authz\.grant\.permits_tool reads input\.call\.arguments\.tool/);
  });
});

describe('readsArguments', () => {
  it.each<[string, boolean]>([
    ['x := input.call.arguments.id', true],
    ['x := input.call', true],
    ['x := input', true],
    ['x if { some key in ["arguments"]; input.call[key] }', true],
    ['x := input.call.values', false],
    ['x := input.identity', false],
  ])('%s: %s', async (body, expected) => {
    write('a.rego', `package mcp.authz.constraint\n\n${body}\n`);
    expect(readsArguments(await rulesOfFolder())).toBe(expected);
  });
});

describe('data in a bundle', () => {
  it('reaches the rules', async () => {
    const vectors = join(directory, 'vectors');
    write('rules/data.json', '{"limits": {"tenant": "default"}}');
    for (const { path, text } of await loadSources(join(POLICIES, 'mcp'))) write(`rules/${path}`, text);
    write(
      'rules/extra.rego',
      'package mcp.authz.constraint\n\nviolated contains "tenant" if input.tenant == data.limits.tenant\n',
    );
    mkdirSync(vectors);
    writeFileSync(join(vectors, 'base.json'), '{}');
    const built = await buildBundle(opa, { name: 'x', sources: join(directory, 'rules'), vectors });
    expect((built.manifest as JsonObject)['data']).toEqual({ limits: { tenant: 'default' } });
    const module = loadPolicyModule(built.wasm, {
      data: built.manifest['data'] as JsonObject,
      entrypoints: ['mcp/authz/decision'],
    });
    const base = JSON.parse(readFileSync(join(POLICIES, 'vectors', 'base.json'), 'utf8'));
    const answer = module.instantiate().evaluate(JSON.stringify(base), 'mcp/authz/decision');
    expect(answer).toMatchObject([{ result: { reason: 'constraint_violated', constraint: 'tenant' } }]);
  });
});
