// A tenant's policy in an OPA of its own: the real `opa run --server` answers by the product's own rules with one of the
// tenant's, and servers that behave as none should answer otherwise.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { Tenant } from '#core/tenant.ts';
import type { RemotePolicy } from '#core/tenant-policy.ts';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { createCallPolicy } from '#ext-authz/policy/call-policy.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { createRemotePolicies } from '#ext-authz/policy/remote-engine.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { type OpaServer, startOpaServer } from '#test/support/opa-server.ts';
import { grant, listCall, question, tenant, toolCall } from '#test/support/policy-world.ts';

const RULES = `package mcp.authz.constraint

violated contains "nobody-but-me" if input.call.arguments.title == "theirs"
`;

/** A generous patience for a busy machine; tests of impatience bring their own. */
const TIMEOUT_MS = 10_000;

let opa: OpaServer;
let platform: ReturnType<typeof createPolicy>;
const servers: Server[] = [];

beforeAll(async () => {
  opa = await startOpaServer(RULES);
  const engine = await createBundleSource(DEFAULT_BUNDLE).load();
  platform = createPolicy({ holder: { current: () => engine } });
}, 60_000);

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

afterAll(() => opa?.stop());

const serve = async (listener: RequestListener): Promise<{ url: string; server: Server }> => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/data/mcp/authz`, server };
};

/** A server that answers each question with this body. */
const answering = async (body: string, status = 200, headers: Record<string, string> = {}) =>
  (await serve((_request, response) => response.writeHead(status, headers).end(body))).url;

const tenantWith = (remote: Partial<RemotePolicy> & { readonly url: string }): Tenant => ({
  ...tenant([grant('engineering-tracker')]),
  policy: { keys: [], requireSignature: false, remote: { timeoutMs: TIMEOUT_MS, ...remote } },
});

const policyStep = () =>
  createCallPolicy({
    platform,
    tenants: {
      engineOf: async () => {
        throw new Error('no tenant here has a bundle');
      },
    },
    remotes: createRemotePolicies({
      fetch: createEgressGuard({ allowPrivate: true, allowedHosts: [] }).fetch,
      readSecret: async (tenantId, name) =>
        name === 'opa-token' ? ok(new Secret(`token of ${tenantId}`)) : err('missing'),
      metrics: createMetrics('test'),
    }),
    shadow: { observe: () => undefined },
  });

const judge = async (of: Tenant, changes: Partial<PolicyQuestion> = {}) =>
  policyStep().judge(question({ tenant: of, ...changes }));

/** Why a call was refused, with the fault for the log. */
const refusal = async (url: string, remote: Partial<RemotePolicy> = {}) => {
  const judged = await judge(tenantWith({ url, ...remote }));
  if (judged.ok) return 'allowed';
  return `${judged.error.reason}: ${String(judged.error.logFacts['fault'])}`;
};

const ALLOW = JSON.stringify({ result: { allow: true, obligations: {}, explain: [] } });

describe('an OPA that a tenant has calls put to', () => {
  it('permits and refuses by its own rules, arguments included', async () => {
    const of = tenantWith({ url: opa.url });
    expect(await judge(of, { call: toolCall('create_issue', { title: 'mine' }) })).toMatchObject({
      ok: true,
    });
    expect(await judge(of, { call: toolCall('create_issue', { title: 'theirs' }) })).toMatchObject({
      error: { reason: 'constraint_violated', publicFacts: { constraint: 'nobody-but-me' } },
    });
  });

  it('is not asked about what the platform refuses, and cannot permit it', async () => {
    let asked = 0;
    const { url } = await serve((_request, response) => {
      asked += 1;
      response.end(ALLOW);
    });
    const of = { ...tenantWith({ url }), grants: [] };
    expect(await judge(of)).toMatchObject({ error: { reason: 'caller_not_granted' } });
    expect(asked).toBe(0);
  });

  it('shows in a list what both permit', async () => {
    const of = tenantWith({ url: opa.url });
    const alone = platform.judge(question({ tenant: of, call: listCall('tools') }));
    expect(await judge(of, { call: listCall('tools') })).toMatchObject({
      value: { lists: alone.ok ? alone.value.lists : [] },
    });
  });

  it('is asked about grants without the arguments, and by its token', async () => {
    const seen: { path: string; body: string; authorization: string | undefined }[] = [];
    const { url } = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        seen.push({ path, body: Buffer.concat(chunks).toString(), authorization: headers.authorization });
        response.writeHead(404).end();
      });
    });
    const of = tenantWith({ url, secretName: 'opa-token' });
    await judge(of, { call: toolCall('create_issue', { title: 'a secret' }) });
    expect(seen).toMatchObject([
      { path: '/v1/data/mcp/authz/visible', authorization: `Bearer token of ${of.id}` },
    ]);
    expect(seen[0]?.body).not.toContain('a secret');
  });

  it('is reached over connections that are kept', async () => {
    let connections = 0;
    const { url, server } = await serve((request, response) => {
      request.resume();
      response.end(ALLOW);
    });
    server.on('connection', () => {
      connections += 1;
    });
    const step = policyStep();
    const of = tenantWith({ url });
    // Nothing is reached for, so only the decision is asked.
    const call = { ...toolCall('create_issue'), method: 'ping', targets: [], arguments: {} };
    for (let n = 0; n < 10; n += 1)
      expect(await step.judge(question({ tenant: of, call }))).toMatchObject({ ok: true });
    // The next call may set out before the one before has given its connection back.
    expect(connections).toBeLessThan(4);
  });

  it('is named in the revision that judged', async () => {
    const of = tenantWith({ url: opa.url });
    const { revision } = platform.judge(question({ tenant: of }));
    expect(await judge(of)).toMatchObject({ revision: `${revision} remote@${new URL(opa.origin).host}` });
  });
});

describe('a call is refused', () => {
  it('while nobody answers', async () => {
    const [port] = await findFreePorts(1);
    expect(await refusal(`http://127.0.0.1:${port}/v1/data/mcp/authz`)).toMatch(
      /^policy_failed: the request/,
    );
  });

  it('when no answer comes in time', async () => {
    const { url } = await serve((request) => void request.resume());
    expect(await refusal(url, { timeoutMs: 50 })).toBe('policy_failed: the request timed out');
  });

  it.each<[string, string, number, string]>([
    ['an undefined answer', '{}', 200, 'the answer is undefined'],
    ['an answer that is no JSON', 'yes', 200, 'the answer is not JSON'],
    ['an answer that is no object', '[true]', 200, 'the answer is not an object'],
    ['another status', ALLOW, 500, 'it answers 500'],
    ['a true alone', '{"result": true}', 200, 'the answer is not an object'],
    [
      'a longer answer than there can be',
      `{"result": "${'x'.repeat(1_100_000)}"}`,
      200,
      'the answer is longer than 1048576 bytes',
    ],
  ])('on %s', async (_title, body, status, fault) => {
    expect(await refusal(await answering(body, status))).toBe(`policy_failed: ${fault}`);
  });

  it('on a redirect, which is not followed', async () => {
    const url = await answering('', 302, { location: `${opa.url}/decision` });
    expect(await refusal(url)).toContain('policy_failed: the answer is a redirect');
  });

  it('where its token cannot be read', async () => {
    expect(await refusal(opa.url, { secretName: 'other' })).toBe('policy_failed: other: missing');
  });

  it('on an address that the guard forbids', async () => {
    const remotes = createRemotePolicies({
      fetch: createEgressGuard({ allowPrivate: false, allowedHosts: [] }).fetch,
      readSecret: async () => err('missing'),
      metrics: createMetrics('test'),
    });
    const engine = remotes.engineOf('acme', { url: opa.url, timeoutMs: TIMEOUT_MS });
    expect(await engine.evaluate({})).toMatchObject({ error: { reason: 'policy_failed' } });
  });
});
