// How a refusal travels, by what was asked: only the answer to a POST can hold a JSON-RPC error the client reads.

import { describe, expect, it } from 'vitest';
import { answerForm } from '#ext-authz/answer-form.ts';
import { httpRequest } from '#test/support/http-requests.ts';
import { SERVER, tenant } from '#test/support/policy-world.ts';

const form = (method: string, refusalStatus: 200 | 403) => {
  const server = { ...SERVER, refusalStatus };
  const place = { tenant: tenant([], server), server, path: '/mcp/tracker', sequence: 1 };
  return answerForm(httpRequest(method, {}), { place }, 'https://gw.example');
};

describe('answerForm()', () => {
  it('answers a refused POST as the server is set', () => {
    expect(form('POST', 200).refusalStatus).toBe(200);
    expect(form('POST', 403).refusalStatus).toBe(403);
  });

  it.each(['GET', 'DELETE'])(
    'answers a refused %s with 403, which no client takes for a stream',
    (method) => {
      expect(form(method, 200).refusalStatus).toBe(403);
    },
  );
});
