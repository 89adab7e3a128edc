// A rule holds destructive calls back until a person has approved them, through the whole product: the rule is built by
// the command its author uses, the calls are made by the official clients of both lines.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectLegacy, connectModern } from '#test/support/mcp-clients.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { ROOT } from '#test/support/product-process.ts';
import { send, statelessRequest } from '#test/support/raw-call.ts';

const RULE = `# Whatever destroys something is looked at first.
package mcp.authz.obligation

import data.mcp.lib.tool

approval contains "destructive-tools" if tool.destructive(input.tool)
`;

let product: Product;
let url: string;
let token: string;
let directory: string;

const buildPolicy = async (): Promise<string> => {
  writeFileSync(join(directory, 'destructive.rego'), RULE);
  const out = join(directory, 'policy');
  await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'policies/build.ts', '--rules', directory, '--out', out],
    { cwd: ROOT },
  );
  return `${out}.json`;
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'approval-rule-'));
  product = await startProduct({ POLICY_BUNDLE: await buildPolicy() });
  url = product.serverUrl('tracker');
  token = await product.token('alice', '--server', 'tracker');
}, 300_000);

afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const close = (id: number, reason = 'done') => ({ name: 'close_issue', arguments: { id, reason } });

type Held = { readonly id: string; readonly url: string };

/** The approval named by a refusal that a client has thrown. */
const heldBy = async (call: Promise<unknown>): Promise<Held & { readonly reason: string }> => {
  const thrown = await call.then(
    (result) => expect.unreachable(`went on: ${JSON.stringify(result)}`),
    (error: unknown) => error as { readonly data?: { readonly reason: string; readonly approval: Held } },
  );
  return { reason: thrown.data?.reason ?? '', ...(thrown.data?.approval as Held) };
};

const decide = async (action: 'grant' | 'refuse', { url: address }: Held): Promise<void> => {
  const { pathname } = new URL(address);
  const seen = await product.registry('GET', pathname);
  const { digest } = seen.body as { readonly digest: string };
  const body = { digest, reason: 'looked at' };
  expect(await product.registry('POST', `${pathname}/${action}`, body)).toMatchObject({ status: 200 });
};

describe('a call that a rule holds back', () => {
  it('goes on for a client with sessions once it is approved, and not a second time', async () => {
    const { client } = await connectLegacy(url, token);
    const held = await heldBy(client.callTool(close(2)));
    expect(held.reason).toBe('approval_pending');
    expect((await heldBy(client.callTool(close(2)))).id).toBe(held.id);
    await decide('grant', held);
    expect(await client.callTool(close(2))).not.toHaveProperty('isError', true);
    expect((await heldBy(client.callTool(close(2)))).id).not.toBe(held.id);
    await client.close();
  });

  it('is not approved by an approval of other arguments, or of another caller', async () => {
    const { client } = await connectLegacy(url, token);
    const held = await heldBy(client.callTool(close(3)));
    await decide('grant', held);
    expect((await heldBy(client.callTool(close(4)))).reason).toBe('approval_pending');
    expect((await heldBy(client.callTool(close(3, 'a secret reason')))).reason).toBe('approval_pending');
    await client.close();
  });

  it('is told when it was refused', async () => {
    const { client } = await connectLegacy(url, token);
    await decide('refuse', await heldBy(client.callTool(close(5))));
    expect((await heldBy(client.callTool(close(5)))).reason).toBe('approval_refused');
    await client.close();
  });

  it('holds back nothing else: lists show the tool, other tools run', async () => {
    const client = await connectModern(url, token);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('close_issue');
    expect(await client.callTool({ name: 'list_issues', arguments: {} })).not.toHaveProperty('isError', true);
    await client.close();
  });

  it('asks a client that can show a link for input, and goes on once a person was there', async () => {
    const shown: string[] = [];
    const client = new ModernClient(
      { name: 'with-a-screen', version: '1.0.0' },
      {
        capabilities: { elicitation: { url: {} } },
        versionNegotiation: { mode: { pin: '2026-07-28' } },
      },
    );
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      const { url: address = '' } = params as { readonly url?: string };
      shown.push(address);
      await decide('grant', { id: '', url: address });
      return { action: 'accept' };
    });
    const headers = { authorization: `Bearer ${token}` };
    await client.connect(new ModernTransport(new URL(url), { requestInit: { headers } }));
    expect(await client.callTool(close(6))).not.toHaveProperty('isError', true);
    expect(shown).toHaveLength(1);
    await client.close();
  });

  it('tells a client that comes back too early by an error, not in circles', async () => {
    const client = new ModernClient(
      { name: 'impatient', version: '1.0.0' },
      {
        capabilities: { elicitation: { url: {} } },
        versionNegotiation: { mode: { pin: '2026-07-28' } },
      },
    );
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept' }));
    const headers = { authorization: `Bearer ${token}` };
    await client.connect(new ModernTransport(new URL(url), { requestInit: { headers } }));
    expect((await heldBy(client.callTool(close(7)))).reason).toBe('approval_pending');
    await client.close();
  });

  it('is refused while nobody can be asked', async () => {
    await product.pauseRestart('registry');
    const headers = { authorization: `Bearer ${token}` };
    const { status, message } = await send(url, statelessRequest('tools/call', close(8), { headers }));
    await product.resumeRestart('registry');
    expect({ status, reason: message.error?.data['reason'] }).toEqual({
      status: 503,
      reason: 'approval_unavailable',
    });
  });

  it('is on record with the approval that let it go on', async () => {
    const events = await product.decisions();
    const withApproval = events.filter(({ approval }) => typeof approval === 'string');
    expect(withApproval.map(({ decision, tool }) => [decision, tool])).toContainEqual([
      'allow',
      'close_issue',
    ]);
    expect(JSON.stringify(events)).not.toContain('a secret reason');
  });
});
