// The library as tenant rules use it: its own tests once more inside WebAssembly, and rules that import it, built and
// judged as in service.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBundleSource } from '#ext-authz/policy/bundle.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { buildBundle } from '#policies/build/build-bundle.ts';
import { readFromBundle } from '#policies/build/bundle-archive.ts';
import { CAPABILITIES, LIBRARY, PLATFORM_RULES, testedPaths } from '#policies/build/folders.ts';
import { loadParts } from '#policies/build/parts.ts';
import { DEFAULT_VECTORS } from '#policies/build/vectors.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { requireOpa } from '#test/policy/opa.ts';
import {
  ALICE,
  grant,
  listCall,
  question,
  tenant,
  tool,
  toolCall,
  VERSION,
} from '#test/support/policy-world.ts';

const opa = requireOpa();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-library-'));
  mkdirSync(join(directory, 'rules'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(directory, 'rules', name), text);

const folders = () => ({ sources: PLATFORM_RULES, rules: join(directory, 'rules') });

const build = () => buildBundle(opa, { ...folders(), name: 'mine', vectors: DEFAULT_VECTORS });

const judgeWith = async (rule: string) => {
  write('mine.rego', rule);
  const built = await build();
  writeFileSync(join(directory, 'mine.json'), JSON.stringify(built.manifest));
  writeFileSync(join(directory, 'mine.wasm'), built.wasm);
  const engine = await createBundleSource(join(directory, 'mine.json')).load();
  const policy = createPolicy({ holder: { current: () => engine } });
  return { engine, judge: (changes: Partial<PolicyQuestion>) => policy.judge(question(changes)) };
};

type TestResult = { readonly package: string; readonly name: string };

describe('the library', () => {
  it('passes its own tests in WebAssembly too', async () => {
    const paths = await testedPaths({ sources: PLATFORM_RULES, rules: LIBRARY });
    const results = JSON.parse(await opa(['test', '--format', 'json', ...paths])) as readonly TestResult[];
    const tests = results
      .filter((result) => result.package.startsWith('data.mcp.lib.'))
      .map((result) => `${result.package.slice('data.'.length).replaceAll('.', '/')}/${result.name}`);
    expect(tests.length).toBeGreaterThanOrEqual(30);
    const output = join(directory, 'tests.tar.gz');
    const entrypoints = tests.flatMap((name) => ['-e', name]);
    await opa([
      'build',
      '-t',
      'wasm',
      '--capabilities',
      CAPABILITIES,
      ...entrypoints,
      '-o',
      output,
      ...paths,
    ]);
    const wasm = readFromBundle(readFileSync(output), '/policy.wasm');
    const instance = loadPolicyModule(wasm, { data: {}, entrypoints: tests }).instantiate();
    const failed = tests.filter((name) => {
      const answer = instance.evaluate('{}', name);
      return JSON.stringify(answer) !== '[{"result":true}]';
    });
    expect(failed).toEqual([]);
  });

  it('goes into a policy by the file, and only if something uses it', async () => {
    write(
      'mine.rego',
      '# x\npackage mcp.authz.constraint\n\nimport data.mcp.lib.clock\n\nviolated contains "x" if clock.before("2020-01-01")\n',
    );
    const parts = await loadParts(opa, folders());
    const paths = parts.sources.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith('lib/'))).toEqual(['lib/clock.rego']);
    expect((await loadParts(opa, { sources: PLATFORM_RULES })).sources.map(({ path }) => path)).toEqual([
      'mcp/authz/constraint.rego',
      'mcp/authz/decision.rego',
      'mcp/authz/grant.rego',
    ]);
  });

  it('goes in whole if nobody can say what is used', async () => {
    write(
      'mine.rego',
      '# x\npackage mine\n\nx if {\n\tsome name in ["caller"]\n\tdata.mcp.lib[name].member\n}\n',
    );
    const paths = (await loadParts(opa, folders())).sources.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith('lib/'))).toHaveLength(6);
  });

  it('does not have the arguments sent unless the file that reads them is used', async () => {
    write(
      'mine.rego',
      '# x\npackage mcp.authz.constraint\n\nimport data.mcp.lib.caller\n\nviolated contains "x" if caller.partner\n',
    );
    expect((await build()).manifest.readsArguments).toBe(false);
    write(
      'mine.rego',
      '# x\npackage mcp.authz.constraint\n\nimport data.mcp.lib.argument\n\nviolated contains "x" if argument.given(["x"])\n',
    );
    expect((await build()).manifest.readsArguments).toBe(true);
  });

  it.each(['argument.given(["x"])', 'clock.before("2030-01-01")'])(
    'does not let a grant look at the call through it: %s',
    async (condition) => {
      const [name] = condition.split('.');
      write(
        'mine.rego',
        `# x\npackage mcp.authz.grant\n\nimport data.mcp.lib.${name}\n\npermits_tool(_) if ${condition}\n`,
      );
      await expect(build()).rejects.toThrow(
        /mcp\.lib\.\w+\.\w+ reads input\.(call\.arguments|request\.time)/,
      );
    },
  );

  it('lets a grant use what is pinned and who calls', async () => {
    const { judge } = await judgeWith(
      '# Members may use read-only tools.\npackage mcp.authz.grant\n\nimport data.mcp.lib.caller as who\nimport data.mcp.lib.tool as pinned\n\npermits_tool(tool) if {\n\tcaller\n\twho.member\n\tpinned.read_only(tool)\n}\n',
    );
    const version = {
      ...VERSION,
      tools: [tool('look', { annotations: { readOnlyHint: true } }), tool('write')],
    };
    const world = tenant([grant('g', { tools: [] })]);
    expect(judge({ tenant: world, version, call: listCall('tools') })).toMatchObject({
      value: { lists: [{ visible: { names: ['look'] } }] },
    });
    expect(judge({ tenant: world, version, call: toolCall('look') }).ok).toBe(true);
    expect(judge({ tenant: world, version, call: toolCall('write') }).ok).toBe(false);
  });

  it('lets a constraint bind the applications people call through', async () => {
    const { judge } = await judgeWith(
      '# Destructive tools only through the desktop.\npackage mcp.authz.constraint\n\nimport data.mcp.lib.agent\nimport data.mcp.lib.tool\n\nviolated contains "desktop-only" if {\n\ttool.destructive(input.tool)\n\tagent.for_person\n\tnot agent.through("desktop")\n}\n',
    );
    const identity = { ...ALICE, scopes: ['tools.use', 'issues.write'] };
    const purge = { call: toolCall('purge'), identity };
    expect(judge(purge)).toMatchObject({ error: { publicFacts: { constraint: 'desktop-only' } } });
    expect(judge({ ...purge, identity: { ...identity, app: 'desktop' } }).ok).toBe(true);
    expect(judge({ call: listCall('tools') }).ok).toBe(true);
  });
});

describe('an order of a rule', () => {
  const ordering = (rules: string) =>
    judgeWith(`# Orders.\npackage mcp.authz.obligation\n\nimport data.mcp.lib.tool\n\n${rules}\n`);

  it('goes with the calls it is for', async () => {
    const { judge } = await ordering(
      'log_level contains "warn" if tool.destructive(input.tool)\n\napproval contains "purges" if input.tool.name == "purge"',
    );
    const identity = { ...ALICE, scopes: ['tools.use', 'issues.write'] };
    expect(judge({ call: toolCall('purge'), identity })).toMatchObject({
      value: { obligations: { logLevel: 'warn', approval: ['purges'] } },
    });
    expect(judge({ call: toolCall('create_issue') })).toMatchObject({
      value: { obligations: { logLevel: 'warn' } },
    });
    const harmless = tool('create_issue', { annotations: { readOnlyHint: true } });
    const asked = judge({ call: toolCall('create_issue'), version: { ...VERSION, tools: [harmless] } });
    expect(asked).toMatchObject({ value: { obligations: {} } });
  });

  it('to redact and to cap the answer goes with the call too', async () => {
    const { judge } = await ordering(
      'redact contains "/person/*" if tool.destructive(input.tool)\n\nmax_response_bytes contains bytes if {\n\tsome bytes in [65536, 4096]\n\ttool.destructive(input.tool)\n}',
    );
    expect(judge({ call: toolCall('create_issue') })).toMatchObject({
      value: { obligations: { redact: ['/person/*'], maxResponseBytes: 4096 } },
    });
  });

  it.each([
    'log_level contains "debug"',
    'log_level contains 7',
    'redact contains "person"',
    'max_response_bytes contains "4096"',
  ])('that cannot be read refuses the call: %s', async (head) => {
    const { judge } = await ordering(
      `${head} if {\n\ttool.destructive(input.tool)\n\tinput.tool.name == "create_issue"\n}`,
    );
    expect(judge({ call: toolCall('create_issue') })).toMatchObject({ error: { reason: 'policy_failed' } });
  });

  it('that nobody carries out does not build', async () => {
    const ordered = ordering('rewrite contains "/secret" if tool.destructive(input.tool)');
    await expect(ordered).rejects.toThrow(/no decision depends on mcp\.authz\.obligation\.rewrite/);
  });
});
