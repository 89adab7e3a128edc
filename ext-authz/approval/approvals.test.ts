// The step that holds a call back: what is asked, what each answer makes of the call, and which clients are shown a link.

import { describe, expect, it } from 'vitest';
import { type ApprovalAnswer, type ApprovalQuestion, MAX_SHOWN_BYTES } from '#core/call-approval.ts';
import type { JsonObject } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { APPROVAL_INPUT, approvedParams, canShowLink } from '#ext-authz/approval/approval-params.ts';
import { settleApproval } from '#ext-authz/approval/approvals.ts';
import { ALICE } from '#test/support/policy-world.ts';

const META = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } };

const callWith = (params: JsonObject, change: Partial<McpCall> = {}): McpCall => ({
  kind: 'request',
  era: 'stateless',
  protocolVersion: '2026-07-28',
  method: 'tools/call',
  id: 1,
  targets: [{ kind: 'tool', name: 'delete_issue' }],
  arguments: {},
  params,
  ...change,
});

const settle = async (
  answer: Result<ApprovalAnswer, string>,
  params: JsonObject = { name: 'delete_issue', arguments: { id: 7 } },
) => {
  const asked: ApprovalQuestion[] = [];
  const ask = async (question: ApprovalQuestion) => {
    asked.push(question);
    return answer;
  };
  const place = { tenantId: 'acme', serverId: 'tracker', version: '1.0.0' };
  const rules = ['night', 'destructive', 'night'];
  const held = { ...place, identity: ALICE, call: callWith(params), rules };
  return { settled: await settleApproval(ask, held), asked };
};

const PENDING: ApprovalAnswer = {
  state: 'pending',
  id: 'call-1',
  url: 'https://registry.example.com/v1/tenants/acme/call-approvals/call-1',
  expiresAt: '2026-01-01T13:00:00.000Z',
};

describe('settleApproval', () => {
  it('asks about the call as the server would get it, and names each rule once', async () => {
    const { asked } = await settle(ok(PENDING), { name: 'delete_issue', arguments: { id: 7 }, _meta: META });
    expect(asked).toMatchObject([
      {
        tenantId: 'acme',
        method: 'tools/call',
        targets: ['delete_issue'],
        params: { name: 'delete_issue', arguments: { id: 7 } },
        principal: ALICE.principal,
        rules: ['destructive', 'night'],
      },
    ]);
    expect(asked[0]?.params).not.toHaveProperty('_meta');
  });

  it('lets a granted call go on', async () => {
    expect((await settle(ok({ state: 'granted', id: 'call-1' }))).settled).toEqual(ok('call-1'));
  });

  it.each<[string, Result<ApprovalAnswer, string>]>([
    ['approval_pending', ok(PENDING)],
    ['approval_refused', ok({ state: 'refused', id: 'call-1' })],
    ['approval_backlog', ok({ state: 'too-many' })],
    ['approval_unavailable', err('14 UNAVAILABLE')],
  ])('refuses as %s', async (reason, answer) => {
    expect((await settle(answer)).settled).toMatchObject({ ok: false, error: { reason } });
  });

  it('tells where the question is, and until when', async () => {
    const { state: _state, ...approval } = PENDING;
    expect((await settle(ok(PENDING))).settled).toMatchObject({ error: { publicFacts: { approval } } });
  });

  it('asks nobody about what nobody could read', async () => {
    const { settled, asked } = await settle(ok(PENDING), {
      arguments: { text: 'x'.repeat(MAX_SHOWN_BYTES) },
    });
    expect(settled).toMatchObject({ error: { reason: 'approval_too_large' } });
    expect(asked).toEqual([]);
  });
});

describe('approvedParams', () => {
  it('binds what a client answers to its server, and not what it answers to the gateway', () => {
    const own = { [APPROVAL_INPUT]: { action: 'accept' } };
    expect(approvedParams(callWith({ name: 't', inputResponses: own }))).toEqual({ name: 't' });
    const both = { ...own, confirm: { action: 'accept' } };
    expect(approvedParams(callWith({ name: 't', inputResponses: both, requestState: 's' }))).toEqual({
      name: 't',
      inputResponses: { confirm: { action: 'accept' } },
      requestState: 's',
    });
  });

  it('keeps what only looks like an answer', () => {
    expect(approvedParams(callWith({ name: 't', inputResponses: [1] }))).toEqual({
      name: 't',
      inputResponses: [1],
    });
  });
});

describe('canShowLink', () => {
  it('is for stateless clients that say so', () => {
    expect(canShowLink(callWith({ _meta: META }))).toBe(true);
  });

  it.each<[string, JsonObject, Partial<McpCall>]>([
    ['clients of the older era', { _meta: META }, { era: 'legacy', protocolVersion: '2025-11-25' }],
    ['other methods', { _meta: META }, { method: 'tools/list' }],
    [
      'clients that show forms only',
      { _meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } } },
      {},
    ],
    ['clients that say nothing', {}, {}],
    ['clients that have shown it', { _meta: META, inputResponses: { [APPROVAL_INPUT]: {} } }, {}],
  ])('is not for %s', (_title, params, change) => {
    expect(canShowLink(callWith(params, change))).toBe(false);
  });
});
