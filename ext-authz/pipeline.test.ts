// What a caller gets before anyone knows who it is.

import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import { err, ok } from '#core/result.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { Secret } from '#core/secret.ts';
import { decide } from '#ext-authz/pipeline.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import { startTrail } from '#ext-authz/trail.ts';
import { httpRequest } from '#test/support/http-requests.ts';
import { ALICE, SERVER, tenant } from '#test/support/policy-world.ts';

const parts = {
  world: () => ({ snapshot: { sequence: 1, tenants: [tenant([])] }, freshAtMs: 0 }),
  revocations: createRevocationBook(),
  authenticator: { authenticate: async () => err(deny('token_missing')) },
  publicUrl: 'https://gw.example',
  nowMs: () => 0,
} as unknown as PipelineParts;

const reasonFor = async (bytes: number): Promise<string> => {
  const headers = { 'content-type': 'application/json', accept: '*/*' };
  const request = httpRequest('POST', headers, '{'.repeat(bytes));
  const signal = new AbortController().signal;
  const decision = await decide(parts, request, { trail: startTrail(() => 0), signal });
  return decision.kind === 'deny' ? decision.reason : decision.kind;
};

describe('decide()', () => {
  it('reads a small body of anyone, so that the refusal names its request', async () => {
    expect(await reasonFor(1_000)).toBe('json_too_deep');
  });

  it('reads a large body of nobody but a known caller', async () => {
    expect(await reasonFor(SERVER.maxBodyBytes - 1)).toBe('token_missing');
  });

  it.each([
    ['asks a person about a call that is held back', false, { reason: 'approval_pending', asked: 1 }],
    [
      'asks nobody about a call whose caller was refused meanwhile',
      true,
      { reason: 'deadline_exceeded', asked: 0 },
    ],
  ])('%s', async (_title, isLate, expected) => {
    let asked = 0;
    const held = {
      ...parts,
      authenticator: { authenticate: async () => ok({ identity: ALICE, token: new Secret('t') }) },
      policy: {
        judge: () => ({
          ...ok({ obligations: { approval: ['two-people'] }, explain: [], lists: [] }),
          revision: 'r',
        }),
      },
      broker: { acquire: async () => ok({ token: null, source: 'none' }) },
      sessions: { judgeState: () => ok(false) },
      askApproval: async () => {
        asked += 1;
        return ok({ state: 'pending', id: 'a', url: 'https://gw.example/a' });
      },
    } as unknown as PipelineParts;
    const deadline = new AbortController();
    if (isLate) deadline.abort();
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'purge', arguments: {} } };
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const decision = await decide(held, httpRequest('POST', headers, JSON.stringify(body)), {
      trail: startTrail(() => 0),
      signal: deadline.signal,
    });
    expect({ reason: decision.kind === 'deny' ? decision.reason : decision, asked }).toEqual(expected);
  });
});
