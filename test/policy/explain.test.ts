// `npm run policy:explain` says which rule decided and what would change it, for every reason a policy has.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import { DEFAULT_VECTORS, mergePatch } from '#policies/build/vectors.ts';
import { commandOf, type Ended } from '#test/support/documented-commands.ts';

const BASE = JSON.parse(readFileSync(join(DEFAULT_VECTORS, 'base.json'), 'utf8')) as JsonObject;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-explain-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const explain = async (call: Json, ...args: readonly string[]): Promise<Ended> => {
  writeFileSync(join(directory, 'call.json'), JSON.stringify(call));
  const [file = '', ...rest] = commandOf('policy:explain');
  const env = { ...process.env, INIT_CWD: directory };
  try {
    return { code: 0, ...(await promisify(execFile)(file, [...rest, ...args, 'call.json'], { env })) };
  } catch (thrown) {
    return thrown as Ended;
  }
};

const asked = (patch: JsonObject): JsonObject => mergePatch(BASE, patch) as JsonObject;

const structured = async (patch: JsonObject, ...args: readonly string[]) =>
  JSON.parse((await explain(asked(patch), '--json', ...args)).stdout);

const LIMIT = { name: 'low-only', pointer: '/priority', oneOf: ['low'], exceptGroups: ['managers'] };

describe('policy:explain', () => {
  it('names the grant and the rule by which a call is allowed', async () => {
    const { stdout } = await explain(BASE);
    expect(stdout).toMatch(
      /^allowed\n {2}user "oid-alice" of "contoso" \(home\): tools\/call "create_issue" on "tracker"/,
    );
    expect(stdout).toContain('grant/engineering-tracker');
    expect(stdout).toMatch(/mcp\.authz\.grant\.permits_tool {2}\S+grant\.rego:\d+/);
  });

  it('finds everything that stands in the way, one behind the other', async () => {
    const tool = { requiredScopes: ['issues.write'], constraints: [LIMIT] };
    const explained = await structured({ grants: [], tool, call: { values: { '/priority': 'high' } } });
    expect(explained).toMatchObject({
      decision: { allow: false, reason: 'caller_not_granted' },
      changes: [
        { kind: 'grant', grant: { serverId: 'tracker', tools: ['create_issue'] } },
        { kind: 'scopes', scopes: ['issues.write'] },
        { kind: 'limit', limit: { name: 'low-only' }, value: 'high' },
      ],
      allowedThen: true,
    });
    const { stdout } = await explain(asked({ grants: [], tool }));
    expect(stdout).toMatch(
      /1\. a grant on server "tracker" with tools \["create_issue"\] for group "engineering", or/,
    );
    expect(stdout).toMatch(/2\. scopes \["issues\.write"\] in the token/);
  });

  it('names a partner by its issuer, without which no grant would reach it', async () => {
    const identity = { issuerId: 'fabrikam', relation: 'partner', guest: true };
    const explained = await structured({ identity });
    expect(explained.changes[0].subjects).toContainEqual({
      kind: 'group',
      id: 'engineering',
      issuerId: 'fabrikam',
    });
    expect(explained.allowedThen).toBe(true);
  });

  it('names an application by its client id', async () => {
    const explained = await structured({ identity: { kind: 'app', groups: [], roles: [] }, grants: [] });
    expect(explained.changes[0].subjects).toEqual([{ kind: 'application', id: 'app-cli' }]);
    expect(explained.allowedThen).toBe(true);
  });

  it('tells a tool that is not pinned from one that is not granted', async () => {
    const unknown = await structured({ tool: null });
    expect(unknown).toMatchObject({
      decision: { reason: 'tool_unknown' },
      changes: [{ kind: 'pin', tool: 'create_issue', server: 'tracker', version: '1.0.0' }],
      allowedThen: true,
    });
    const targets = [{ kind: 'tool', name: 'purge' }];
    const other = await structured({ tool: { name: 'purge' }, call: { targets } });
    expect(other).toMatchObject({ decision: { reason: 'tool_not_granted' }, changes: [{ kind: 'grant' }] });
    const prompt = await structured({ tool: null, call: { targets: [{ kind: 'prompt', name: 'p' }] } });
    expect(prompt).toMatchObject({
      decision: { reason: 'target_not_granted' },
      changes: [{ kind: 'grant', grant: { prompts: ['p'] } }],
      allowedThen: true,
    });
  });

  it('leads to the line of an author’s rule that refuses, and does not guess what would satisfy it', async () => {
    mkdirSync(join(directory, 'rules'));
    writeFileSync(
      join(directory, 'rules', 'mine.rego'),
      '# x\npackage mcp.authz.constraint\n\nviolated contains "not-him" if {\n\tinput.identity.oid == "oid-alice"\n}\n',
    );
    const explained = await structured({}, '--rules', 'rules');
    expect(explained).toMatchObject({
      decision: { reason: 'constraint_violated', constraint: 'not-him' },
      decidedBy: expect.arrayContaining([
        expect.objectContaining({ rule: 'mcp.authz.constraint.violated', adds: 'not-him', line: 4 }),
      ]),
      changes: [{ kind: 'rule', constraint: 'not-him', line: 4 }],
      allowedThen: false,
    });
    const { stdout } = await explain(BASE, '--rules', 'rules');
    expect(stdout).toContain('1. constraint "not-him" not to hold: rules/mine.rego:4');
  });

  it('reads a line of the decision log and says what it lacks', async () => {
    const line = { decision_id: 'd', input: BASE, result: {}, erased: ['/input/call/values'] };
    const { stdout } = await explain(line);
    expect(stdout).toMatch(/^allowed\n/);
    expect(stdout).toMatch(/not in the record, so judged as absent\n {2}\/input\/call\/values/);
  });

  it.each<[string, Json, RegExp]>([
    ['a list', [], /is not an object/],
    ['another object', { tenant: 'a' }, /has no identity and call/],
  ])('does not take %s for a call', async (_title, call, expected) => {
    const { code, stderr } = await explain(call);
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
  });
});
