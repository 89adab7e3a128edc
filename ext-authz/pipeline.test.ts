// What a caller gets before anyone knows who it is.

import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import { err } from '#core/result.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { decide } from '#ext-authz/pipeline.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import { startTrail } from '#ext-authz/trail.ts';
import { httpRequest } from '#test/support/http-requests.ts';
import { SERVER, tenant } from '#test/support/policy-world.ts';

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
});
