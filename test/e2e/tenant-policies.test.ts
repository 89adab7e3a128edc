// A tenant's own policy, from `opa build` to a refused call: uploaded and named through the API, in force when the answer
// comes, and in force after a restart that finds no registry.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpaServer, startOpaServer } from '#test/support/opa-server.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';
import { buildTenantBundle } from '#test/support/tenant-bundle.ts';

const POLICY = '/v1/tenants/default/policy';

const BUNDLE = buildTenantBundle({
  files: {
    'tickets.rego':
      'package mcp.authz.constraint\n\nviolated contains "no-secrets" if contains(input.call.arguments.title, "secret")\n',
  },
});

/** Refuses more than the one that judges. */
const STRICTER = buildTenantBundle({
  files: {
    'tickets.rego':
      'package mcp.authz.constraint\n\nviolated contains "no-bugs" if contains(input.call.arguments.title, "bug")\n',
  },
});

let product: Product;
let opa: OpaServer;
let tracker: string;
let alice: string;

beforeAll(async () => {
  product = await startProduct();
  tracker = product.serverUrl('tracker');
  alice = await product.token('alice');
}, 300_000);
afterAll(() => product.stop());

const upload = async (bytes: Buffer): Promise<string> => {
  const response = await fetch(`${product.quickstart.registry}/v1/tenants/default/policy-bundles`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await product.token('--admin')}`,
      'content-type': 'application/gzip',
      'x-change-reason': 'a test',
    },
    body: new Uint8Array(bytes),
  });
  const body = (await response.json()) as { readonly digest: string };
  expect(response.status, JSON.stringify(body)).toBe(201);
  return body.digest;
};

const create = (title: string) => callTool(tracker, alice, { name: 'create_issue', arguments: { title } });

const reasonOf = async (title: string): Promise<unknown> =>
  (await create(title)).message.error?.data['reason'] ?? 'allowed';

describe("a tenant's own policy", () => {
  it('is in force when the answer says that it is applied', async () => {
    expect(await reasonOf('a secret')).toBe('allowed');
    const digest = await upload(BUNDLE);
    const answer = await product.registry('PUT', `${POLICY}?wait=applied`, { bundle: { digest } });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    const refused = await create('a secret');
    expect(refused.message.error?.data).toMatchObject({
      reason: 'constraint_violated',
      constraint: 'no-secrets',
    });
    expect(await reasonOf('a bug')).toBe('allowed');
  });

  it('is named in the decision log beside the platform’s, without any argument', async () => {
    const decisions = await product.decisions();
    expect(decisions.at(-1)).toMatchObject({
      policyRevision: expect.stringMatching(/^default-policy@sha256:\w{12} bundle@sha256:\w{12}$/),
    });
    expect(await product.allLogs()).not.toContain('a secret');
  });

  it('is compared with one on trial, which refuses nothing', async () => {
    const shadow = await upload(STRICTER);
    const { etag, body } = await product.registry('GET', POLICY);
    const tried = await product.registry(
      'PUT',
      POLICY,
      { ...(body as object), shadow: { digest: shadow } },
      { 'if-match': etag },
    );
    expect(tried.status, JSON.stringify(tried.body)).toBe(200);
    await expect
      .poll(
        async () => {
          expect(await reasonOf('a bug')).toBe('allowed');
          return product.allLogs();
        },
        { timeout: 25_000 },
      )
      .toMatch(/"difference":"would-refuse".*"constraint":"no-bugs".*"shadow policy differs"/);
  });

  it('judges on after a restart that finds no registry', async () => {
    await product.pauseRestart('registry');
    await product.kill('ext-authz');
    await expect.poll(() => product.isReady('ext-authz'), { timeout: 60_000 }).toBe(true);
    await expect
      .poll(() => reasonOf('a bug').catch(() => 'unreachable'), { timeout: 60_000 })
      .toBe('allowed');
    expect(await reasonOf('a secret')).toBe('constraint_violated');
    await product.resumeRestart('registry');
    await expect.poll(() => product.isReady('registry'), { timeout: 60_000 }).toBe(true);
  });
});

/** It asks the time by itself, which no policy inside the gateway can. */
const REMOTE_RULES = `package mcp.authz.constraint

violated contains "elsewhere" if {
	time.now_ns() > 0
	input.call.arguments.title == "elsewhere"
}
`;

describe('an OPA that a tenant has calls put to', () => {
  beforeAll(async () => {
    opa = await startOpaServer(REMOTE_RULES);
    const { etag } = await product.registry('GET', POLICY);
    const remote = { url: opa.url, timeoutMs: 2_000 };
    const answer = await product.registry('PUT', `${POLICY}?wait=applied`, { remote }, { 'if-match': etag });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  }, 120_000);
  afterAll(() => opa?.stop());

  it('judges by rules that only it has', async () => {
    expect(await reasonOf('a bug')).toBe('allowed');
    expect((await create('elsewhere')).message.error?.data).toMatchObject({
      reason: 'constraint_violated',
      constraint: 'elsewhere',
    });
  });

  it('is missed by nobody once it is not asked any more, and by every call before', async () => {
    opa.stop();
    await expect.poll(() => reasonOf('a bug'), { timeout: 20_000 }).toBe('policy_failed');
    const { etag } = await product.registry('GET', POLICY);
    const removed = await product.registry('DELETE', `${POLICY}?wait=applied`, undefined, {
      'if-match': etag,
    });
    expect(removed.status).toBe(204);
    expect(await reasonOf('a bug')).toBe('allowed');
  });
});
