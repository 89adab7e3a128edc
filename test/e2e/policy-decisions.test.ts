// From calls through the whole product to the decision log, and from there to what another policy would have said of them:
// a rule is tried on yesterday's calls before it serves.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { PLATFORM_RULES } from '#policies/build/folders.ts';
import { requireOpa } from '#test/policy/opa.ts';
import { commandOf, type Ended } from '#test/support/documented-commands.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, send, statelessRequest } from '#test/support/raw-call.ts';

const directory = mkdtempSync(join(tmpdir(), 'mcpgw-decisions-'));
const log = join(directory, 'decisions.jsonl');

let product: Product;
beforeAll(async () => {
  product = await startProduct({ POLICY_DECISION_LOG: log });
}, 300_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const run = async (script: string, ...args: readonly string[]): Promise<Ended> => {
  const [file = '', ...rest] = commandOf(script);
  const env = { ...process.env, INIT_CWD: directory };
  try {
    return { code: 0, ...(await promisify(execFile)(file, [...rest, ...args], { env })) };
  } catch (thrown) {
    return thrown as Ended;
  }
};

const events = (): readonly JsonObject[] =>
  readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);

const RULE = `# Nothing new for a week.
package mcp.authz.constraint

violated contains "freeze" if input.tool.name == "create_issue"
`;

it('records what the policy was asked and answered, and says what another policy would change', async () => {
  const url = product.serverUrl('tracker');
  const [alice, paula] = [await product.token('alice'), await product.token('paula')];
  const title = { title: 'a private matter', description: 'nobody else is to read' };
  const created = await callTool(url, alice, { name: 'create_issue', arguments: title });
  expect(created.message.error).toBeUndefined();
  await callTool(url, paula, { name: 'create_issue', arguments: title });
  await send(url, statelessRequest('tools/list', {}, { token: alice }));
  const wanted = (found: readonly JsonObject[]) =>
    found.filter(({ path }) => path === 'mcp/authz/decision').length;
  await expect.poll(() => wanted(events())).toBeGreaterThanOrEqual(3);

  const text = readFileSync(log, 'utf8');
  for (const secret of [alice, paula, 'a private matter', '"ip"']) expect(text).not.toContain(secret);
  expect(statSync(log).mode & 0o777).toBe(0o600);
  const decisions = await product.decisions();
  const isCreation = ({ path, input }: JsonObject) =>
    path === 'mcp/authz/decision' &&
    JSON.stringify(input).includes('"targets":[{"kind":"tool","name":"create_issue"}]');
  const allowed = events().find(
    (event) => isCreation(event) && (event['result'] as JsonObject)['allow'] === true,
  ) as JsonObject;
  const request = (allowed['input'] as JsonObject)['request'] as JsonObject;
  expect(decisions.map(({ requestId }) => requestId)).toContain(request['id']);
  expect(allowed).toMatchObject({
    path: 'mcp/authz/decision',
    bundles: { 'default-policy': { revision: expect.stringMatching(/^sha256:/) } },
    erased: expect.arrayContaining(['/input/call/values']),
  });

  // The record is a question OPA itself answers the same.
  writeFileSync(join(directory, 'input.json'), JSON.stringify(allowed['input']));
  const args = ['eval', '--format', 'json', '-d', PLATFORM_RULES, '-i', join(directory, 'input.json')];
  const answer = JSON.parse(await requireOpa()([...args, 'data.mcp.authz.decision']));
  expect(answer.result[0].expressions[0].value).toEqual(allowed['result']);

  expect(await run('policy:replay', '--decisions', log)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^\d+ decisions of default-policy@sha256:\w+ \d+, judged by .*: \d+ the same, 0 others/,
    ),
  });
  mkdirSync(join(directory, 'rules'));
  writeFileSync(join(directory, 'rules', 'freeze.rego'), RULE);
  const built = await run('policy:build', '--rules', 'rules', '--out', 'freeze');
  expect(built.code, built.stderr).toBe(0);
  const replayed = await run('policy:replay', '--decisions', log, '--bundle', 'freeze.json', '--json');
  expect(replayed.code, replayed.stderr).toBe(1);
  expect(JSON.parse(replayed.stdout)).toMatchObject({
    changes: {
      'now refused': { count: 1, targets: { 'tracker/create_issue': 1 }, tenants: { default: 1 } },
    },
  });
  const explained = await run('policy:explain', '--rules', 'rules', 'input.json');
  expect(explained.stdout).toMatch(/^refused: constraint_violated\n/);
});

it('does not start with masks it cannot read', async () => {
  writeFileSync(join(directory, 'mask.json'), '[{"op":"hide"}]');
  const env = {
    ...process.env,
    MCPGW_STATE_DIR: join(directory, 'state'),
    MCPGW_RUNTIME_DIR: directory,
    POLICY_DECISION_LOG: join(directory, 'other.jsonl'),
    POLICY_DECISION_LOG_MASK: join(directory, 'mask.json'),
  };
  const started = promisify(execFile)(process.execPath, ['ext-authz/main.ts'], { env, timeout: 30_000 });
  await expect(started).rejects.toMatchObject({
    stdout: expect.stringContaining('POLICY_DECISION_LOG_MASK'),
  });
});
