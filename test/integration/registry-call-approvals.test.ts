// Calls that wait for a person, over the registry's API and over the port on which they are asked about.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApprovalAnswer, ApprovalQuestion } from '#core/call-approval.ts';
import { createApprovalAnswers } from '#registry/ask-for-approval.ts';
import { type ApprovalClient, createApprovalClient } from '#registry/feed/approvals/client.ts';
import { createApprovalService } from '#registry/feed/approvals/service.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import {
  ADMIN_ISSUER,
  type Answer,
  adminToken,
  PUBLIC_URL,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import { QUESTION } from '#test/support/call-approval-contract.ts';
import { HOME_TID, OID } from '#test/support/token-issuer.ts';

const T = '/v1/tenants/acme';
const APPROVER = ['approver:acme'];

let registry: TestRegistry;
let client: ApprovalClient;
let closePort: () => Promise<void>;
let directory: string;

beforeEach(async () => {
  registry = await startTestRegistry();
  await registry.call('PUT', T, { body: { displayName: 'Acme', accessContact: '' } });
  directory = await mkdtemp(join(tmpdir(), 'approvals-'));
  const address = { kind: 'unix', path: join(directory, 'feed.sock') } as const;
  const { store, newId, nowMs } = registry.context;
  const answers = createApprovalAnswers({ store, publicUrl: PUBLIC_URL, nowMs, newId });
  const silent = createLogger('test', 'silent');
  closePort = await startGrpcServer(address, [createApprovalService(answers, silent)]);
  client = createApprovalClient(address, undefined);
});

afterEach(async () => {
  client.stop();
  await closePort();
  await registry.stop();
  await rm(directory, { recursive: true, force: true });
});

const ask = async (change: Partial<ApprovalQuestion> = {}): Promise<ApprovalAnswer> => {
  const answer = await client.ask({ ...QUESTION, ...change });
  if (!answer.ok) throw new Error(answer.error);
  return answer.value;
};

type View = Answer['body'] & { readonly id: string; readonly digest: string; readonly state: string };

const read = async (id: string): Promise<View> =>
  (await registry.call('GET', `${T}/call-approvals/${id}`, { roles: APPROVER })).body as View;

/** Asks, and reads what a person would. */
const put = async (change: Partial<ApprovalQuestion> = {}): Promise<View> => {
  const answer = await ask(change);
  if (answer.state !== 'pending') throw new Error(answer.state);
  return read(answer.id);
};

const decide = (action: 'grant' | 'refuse', { id, digest }: View, headers: Record<string, string> = {}) =>
  registry.call('POST', `${T}/call-approvals/${id}/${action}`, {
    roles: APPROVER,
    body: { digest, reason: 'looked at' },
    headers,
  });

const codeOf = ({ body }: Answer): string => body.type.replace('urn:mcpgw:problem:', '');

describe('a call that waits for a person', () => {
  it('is shown whole at the address the asker was told', async () => {
    const answer = await ask();
    const { id } = answer as { readonly id: string };
    expect(answer).toMatchObject({ state: 'pending', url: `${PUBLIC_URL}${T}/call-approvals/${id}` });
    const { tenantId: _tenantId, ...asked } = QUESTION;
    expect(await read(id)).toMatchObject({ ...asked, state: 'pending' });
  });

  it('goes on once an approver has granted it, and once only', async () => {
    const view = await put();
    const granted = await decide('grant', view);
    expect(granted.status).toBe(200);
    expect(granted.body).toMatchObject({ state: 'granted', decision: { reason: 'looked at' } });
    expect(await ask()).toEqual({ state: 'granted', id: view.id });
    expect((await read(view.id)).state).toBe('used');
    expect(await ask()).toMatchObject({ state: 'pending' });
  });

  it('stays refused', async () => {
    const view = await put();
    expect((await decide('refuse', view)).status).toBe(200);
    expect(await ask()).toEqual({ state: 'refused', id: view.id });
  });

  it('is decided by the digest of what was read', async () => {
    const [view, other] = [
      await put(),
      await put({ params: { name: 'delete_issue', arguments: { id: 8 } } }),
    ];
    const answer = await decide('grant', { ...view, digest: other.digest });
    expect(answer.status).toBe(409);
    expect(codeOf(answer)).toBe('approval-digest-mismatch');
    expect((await read(view.id)).state).toBe('pending');
  });

  it('is decided once; the second hears what became of it', async () => {
    const view = await put();
    await decide('refuse', view);
    const answer = await decide('grant', view);
    expect(answer.status).toBe(409);
    expect(codeOf(answer)).toBe('approval-not-pending');
    expect(answer.body.detail).toContain('it is refused');
  });

  it('may be decided with a key, and is answered the same again', async () => {
    const view = await put();
    const key = { 'idempotency-key': 'f0e1d2c3-0009' };
    const first = await decide('grant', view, key);
    const again = await decide('grant', view, key);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('is granted by nobody who made it himself, where four eyes are asked for', async () => {
    const own = await put({ principal: JSON.stringify([ADMIN_ISSUER, 'ada']) });
    const answer = await decide('grant', own);
    expect(answer.status).toBe(403);
    expect(codeOf(answer)).toBe('approver-is-caller');
    expect((await decide('refuse', own)).status).toBe(200);
  });

  it('is granted by nobody who made it himself with a token of the other version', async () => {
    const own = await put({
      principal: JSON.stringify([`https://sts.windows.net/${HOME_TID}/`, HOME_TID, OID]),
    });
    const token = await adminToken(APPROVER, { tid: HOME_TID, oid: OID });
    const answer = await decide('grant', own, { authorization: `Bearer ${token}` });
    expect(codeOf(answer)).toBe('approver-is-caller');
  });

  it('is granted by whoever made it, where four eyes are not asked for', async () => {
    await registry.call('PATCH', T, { body: { fourEyes: false }, headers: { 'if-match': '*' } });
    const own = await put({ principal: JSON.stringify([ADMIN_ISSUER, 'ada']) });
    expect((await decide('grant', own)).status).toBe(200);
  });

  it('is found by state, and by nobody of another tenant', async () => {
    await registry.call('PUT', '/v1/tenants/beta', { body: { displayName: 'Beta', accessContact: '' } });
    const view = await put();
    const listed = await registry.call('GET', `${T}/call-approvals?state=pending`, { roles: APPROVER });
    expect(listed.body.items.map(({ id }) => id)).toEqual([view.id]);
    const beta = { roles: ['approver:beta'] };
    expect((await registry.call('GET', '/v1/tenants/beta/call-approvals', beta)).body.items).toEqual([]);
    expect((await registry.call('GET', `/v1/tenants/beta/call-approvals/${view.id}`, beta)).status).toBe(404);
    expect((await registry.call('GET', `${T}/call-approvals`, beta)).status).toBe(403);
  });

  it('leaves who decided, what and why in the audit', async () => {
    const view = await put();
    await decide('grant', view);
    const audit = await registry.call('GET', `${T}/audit?action=grant`);
    expect(audit.body.items).toMatchObject([
      { action: `grant call-approvals/${view.id} sha256:${view.digest}`, reason: 'looked at' },
    ]);
  });
});

describe('the port on which calls are asked about', () => {
  it('refuses what is no question', async () => {
    const spoilt = { ...QUESTION, rules: [] };
    expect(await client.ask(spoilt)).toMatchObject({ ok: false });
    expect(await client.ask({ ...QUESTION, extra: 1 } as ApprovalQuestion)).toMatchObject({ ok: false });
  });

  it('is asked again after the registry was away', async () => {
    const { id } = (await ask()) as { readonly id: string };
    await closePort();
    expect(await client.ask(QUESTION)).toMatchObject({ ok: false });
    const address = { kind: 'unix', path: join(directory, 'feed.sock') } as const;
    const { store, newId, nowMs } = registry.context;
    const answers = createApprovalAnswers({ store, publicUrl: PUBLIC_URL, nowMs, newId });
    closePort = await startGrpcServer(address, [
      createApprovalService(answers, createLogger('test', 'silent')),
    ]);
    expect(await ask()).toMatchObject({ state: 'pending', id });
  });
});
