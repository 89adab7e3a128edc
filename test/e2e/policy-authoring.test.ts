// docs/policy-authoring.md, every command of it in its order, against the whole product: at its end the rule judges.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommands, shellBlocks } from '#test/support/documented-commands.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { ROOT } from '#test/support/product-process.ts';
import { callTool } from '#test/support/raw-call.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'policy-authoring.md'), 'utf8');
const SCRIPTS = ['policy:check', 'policy:explain', 'policy:build', 'policy:replay'];

const directory = mkdtempSync(join(tmpdir(), 'mcpgw-authoring-'));
const log = join(directory, 'policy.jsonl');

let product: Product;
beforeAll(async () => {
  product = await startProduct({ POLICY_DECISION_LOG: log });
}, 300_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('leads from nothing to a rule in force, and each command does what the page says', async () => {
  const alice = await product.token('alice');
  const url = product.serverUrl('tracker');
  const create = () => callTool(url, alice, { name: 'create_issue', arguments: { title: 'a bug' } });
  await create();
  const ended = await runCommands(shellBlocks(PAGE), {
    directory,
    scripts: SCRIPTS,
    variables: {
      REGISTRY: product.quickstart.registry,
      TOKEN: await product.token('--admin'),
      POLICY_DECISION_LOG: log,
    },
  });
  const { stdout } = ended;
  expect(ended.code, `${ended.stderr}\n${stdout.slice(-2_000)}`).toBe(0);
  expect(stdout).toMatch(/### Test it\n(?:note: .*\n)?policy:check: no faults, 3 tests, coverage 100\.0 %/);
  expect(stdout).toMatch(
    /refused: caller_not_granted\n[\s\S]*1\. a grant on server "tracker"[\s\S]*2\. scopes \["issues\.write"\][\s\S]*3\. constraint "critical-in-office-hours" not to hold: my-rules\/critical\.rego:9\n/,
  );
  expect(stdout).toMatch(/\d+ decisions of default-policy@sha256:\w+ \d+, judged by my-policy@sha256:/);
  expect(stdout).toMatch(/"bundle":\{"digest":"[0-9a-f]{64}"/);

  const answer = await create();
  const newest = async () => String((await product.decisions()).at(-1)?.['policyRevision']);
  await expect.poll(newest).toMatch(/^default-policy@sha256:\w+ bundle@sha256:\w+$/);
  // In office hours it is allowed; at any other hour the caller reads what the page says.
  const { message } = answer.message.error ?? { message: 'The rule is "critical-in-office-hours"; ask ' };
  expect(message).toContain('The rule is "critical-in-office-hours"; ask ');
}, 120_000);
