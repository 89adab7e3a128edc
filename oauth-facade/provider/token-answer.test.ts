// Unit tests of token-answer.ts: what is believed of a token endpoint.

import { describe, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import { isOfSignIn, judgeTokenAnswer } from '#oauth-facade/provider/token-answer.ts';

const idToken = (claims: object): Secret =>
  new Secret(`e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`);

describe('isOfSignIn()', () => {
  it('wants the nonce of the sign-in wherever there is an id token', () => {
    expect(isOfSignIn(idToken({ nonce: 'mine' }), 'mine', true)).toBe(true);
    expect(isOfSignIn(idToken({ nonce: 'another' }), 'mine', true)).toBe(false);
    expect(isOfSignIn(idToken({ nonce: 'another' }), 'mine', false)).toBe(false);
    expect(isOfSignIn(idToken({}), 'mine', true)).toBe(false);
    expect(isOfSignIn(new Secret('no token'), 'mine', true)).toBe(false);
  });

  it('wants an id token where one was asked for', () => {
    expect(isOfSignIn(undefined, 'mine', true)).toBe(false);
    expect(isOfSignIn(undefined, 'mine', false)).toBe(true);
  });
});

describe('judgeTokenAnswer()', () => {
  const good = {
    access_token: 'a',
    token_type: 'Bearer',
    expires_in: 3599.5,
    refresh_token: 'r',
    scope: 's',
  };
  const judge = (status: number, body: unknown) =>
    judgeTokenAnswer({ status, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const errorOf = (status: number, body: unknown): string => {
    const judged = judge(status, body);
    return judged.ok ? 'ok' : judged.error.error;
  };

  it('takes a bearer token, however the word is written', () => {
    for (const type of ['Bearer', 'bearer', 'BEARER'])
      expect(errorOf(200, { ...good, token_type: type })).toBe('ok');
    const judged = judge(200, good);
    expect(judged.ok && judged.value.expiresIn).toBe(3599);
  });

  it.each<[string, number, unknown, string]>([
    ['a token bound to a key', 200, { ...good, token_type: 'DPoP' }, 'server_error'],
    ['no type', 200, { access_token: 'a' }, 'server_error'],
    ['no token', 200, { ...good, access_token: '' }, 'server_error'],
    ['a token that is no text', 200, { ...good, access_token: { a: 1 } }, 'server_error'],
    ['a page', 200, '<html>', 'server_error'],
    ['a list', 200, [good], 'server_error'],
    ['a token beside a failure', 400, good, 'server_error'],
    ['a dead grant', 400, { error: 'invalid_grant' }, 'invalid_grant'],
    ['a second factor', 400, { error: 'interaction_required' }, 'invalid_grant'],
    ['a wrong scope', 400, { error: 'invalid_scope' }, 'invalid_scope'],
    ['our own fault', 401, { error: 'invalid_client' }, 'server_error'],
    ['a name of our own prototype', 400, { error: 'constructor' }, 'server_error'],
    ['too much', 429, {}, 'temporarily_unavailable'],
    ['a failure', 500, 'x', 'temporarily_unavailable'],
  ])('tells %s from a token', (_title, status, body, error) => {
    expect(errorOf(status, body)).toBe(error);
  });

  it('keeps the provider’s sentences out of what is told and logged', () => {
    const judged = judge(400, { error: 'alice@acme.example', error_description: 'AADSTS50034 alice' });
    expect(JSON.stringify(judged)).not.toMatch(/alice|AADSTS/);
  });
});
