// What is believed of a token endpoint's answer.

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { parseProviderBody, tokenFromAnswer } from '#ext-authz/token/provider-answer.ts';

const NOW = 1_800_000_000;
const judge = (body: JsonObject | undefined, more: { status?: number; retryAfter?: string } = {}) =>
  tokenFromAnswer(
    {
      status: more.status ?? 200,
      retryAfter: more.retryAfter ?? null,
      ...(body === undefined ? {} : { body }),
    },
    NOW,
  );

const TOKEN = { access_token: 'text', token_type: 'Bearer', expires_in: 3600 };

describe('tokenFromAnswer()', () => {
  it('takes a bearer token with a lifetime, written as number or text', () => {
    for (const expires_in of [3600, '3600']) {
      const result = judge({ ...TOKEN, expires_in });
      expect(result.ok && [result.value.token.reveal(), result.value.expiresInSeconds]).toEqual([
        'text',
        3600,
      ]);
    }
  });

  it.each([
    [{ ...TOKEN, access_token: '' }],
    [{ ...TOKEN, access_token: 7 }],
    [{ ...TOKEN, access_token: 'two\nlines' }],
    [{ ...TOKEN, access_token: 'two words' }],
    [{ ...TOKEN, access_token: 'é' }],
    [{ ...TOKEN, token_type: 'pop' }],
    [{ access_token: 'text', expires_in: 3600 }],
    [{ ...TOKEN, expires_in: 0 }],
    [{ ...TOKEN, expires_in: 'soon' }],
    [{ access_token: 'text', token_type: 'Bearer' }],
    [{}],
    [undefined],
  ])('takes no token from %j', (body) => {
    expect(judge(body)).toMatchObject({ ok: false, error: { kind: 'unreadable', status: 200 } });
  });

  it('takes no token from any status but 200', () => {
    expect(judge(TOKEN, { status: 202 }).ok).toBe(false);
    expect(judge(TOKEN, { status: 400 }).ok).toBe(false);
  });

  it('believes the error where an answer has both', () => {
    expect(judge({ ...TOKEN, error: 'invalid_grant' })).toMatchObject({
      ok: false,
      error: { kind: 'refused', error: 'invalid_grant' },
    });
  });

  it('caps a lifetime that nobody grants', () => {
    const result = judge({ ...TOKEN, expires_in: 1e12 });
    expect(result.ok && result.value.expiresInSeconds).toBe(28 * 3600);
  });

  it('keeps only names, numbers and GUIDs of a refusal, never its description', () => {
    const result = judge(
      {
        error: 'Alice\nwas here',
        suberror: 'x'.repeat(200),
        error_description: 'AADSTS50013 alice@contoso.example',
        error_codes: [50013, 'x', 1.5],
        trace_id: 'not a guid',
        correlation_id: '0d5a1f0e-7a51-4f0c-8d64-2b8c1e3f5a01',
        claims: 'no json',
      },
      { status: 400 },
    );
    expect(result).toEqual({
      ok: false,
      error: {
        kind: 'refused',
        status: 400,
        error: 'unnamed',
        codes: [50013],
        correlationId: '0d5a1f0e-7a51-4f0c-8d64-2b8c1e3f5a01',
      },
    });
  });

  it.each([
    ['7', 7],
    ['0', 0],
    ['999999', 3600],
    [new Date((NOW + 90) * 1000).toUTCString(), 90],
    [new Date((NOW - 90) * 1000).toUTCString(), 0],
    ['soon', undefined],
  ])('reads Retry-After %s as %s seconds', (retryAfter, seconds) => {
    const result = judge(undefined, { status: 429, retryAfter });
    expect(
      !result.ok && 'retryAfterSeconds' in result.error ? result.error.retryAfterSeconds : undefined,
    ).toBe(seconds);
  });
});

describe('parseProviderBody()', () => {
  it.each(['', '[]', 'null', '"text"', '{"cut":', '<html>'])('takes %j for no answer', (text) => {
    expect(parseProviderBody(text)).toBeUndefined();
  });
});
