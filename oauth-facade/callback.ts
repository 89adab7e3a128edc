// `/callback`: a person comes back from the provider. What it brings is believed once, in the browser it was begun in and from
// the provider it was begun with. The provider's code goes on to the client inside a code of ours, unread and unspent:
// its tokens are made when the client shows that it is the one that asked, so there are none to keep or to lose meanwhile.

import { err, ok, type Result } from '#core/result.ts';
import { SIGN_IN_SECONDS } from '#oauth-facade/authorize/begin-sign-in.ts';
import { browserDigest, readBrowser } from '#oauth-facade/browser.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { type Parameters, parseParameters } from '#oauth-facade/http/parameters.ts';
import { type Reply, redirectReply } from '#oauth-facade/http/reply.ts';
import type { Request } from '#oauth-facade/http/request.ts';
import { type FacadeParts, nowSecondsOf } from '#oauth-facade/parts.ts';
import { isProvider } from '#oauth-facade/provider/endpoints.ts';
import type { SignIn } from '#oauth-facade/provider/sign-in.ts';
import { type Refusal, refusal, refuse } from '#oauth-facade/refusal.ts';
import { CODE_SECONDS, type Code } from '#oauth-facade/token/code.ts';
import { claimOnce } from '#oauth-facade/token/once.ts';
import { codeBack, refusedBack } from '#oauth-facade/way-back.ts';

/** What somebody comes back with is only looked at where the sign-in is one of this browser. */
const openSignIn = (
  parts: FacadeParts,
  fronted: Fronted,
  { cookie, state }: { readonly cookie: string; readonly state: string | undefined },
): Result<SignIn, Refusal> => {
  const signIn = parts.sealer.open<SignIn>('state', fronted.ref, state ?? '');
  if (signIn === undefined || signIn.untilSeconds <= nowSecondsOf(parts))
    return refuse('invalid_request', 'The sign-in is not known here, or took too long.', { detail: 'state' });
  const browser = readBrowser(cookie, parts.cookies);
  return browser !== undefined && browserDigest(browser) === signIn.browser
    ? ok(signIn)
    : refuse('invalid_request', 'The sign-in was begun in another browser, or cookies are off.', {
        detail: 'browser',
      });
};

/** Errors of the provider that say something to a client; its own words name people and requests. */
const TOLD: Readonly<Record<string, Refusal>> = {
  access_denied: refusal('access_denied', 'The identity provider did not let the person in.'),
  invalid_scope: refusal('invalid_scope', 'The identity provider refuses a scope.'),
  temporarily_unavailable: refusal('temporarily_unavailable', 'The identity provider is away.'),
};

const providerRefusal = (error: string): Refusal =>
  (Object.hasOwn(TOLD, error) ? TOLD[error] : undefined) ??
  refusal('server_error', 'The identity provider refuses the sign-in.', {
    detail: /^[a-z_]{1,64}$/.test(error) ? error : 'an error of no known form',
  });

const readCode = (given: Parameters): Result<string, Refusal> => {
  const error = given.get('error');
  if (error !== undefined) return err(providerRefusal(error));
  const code = given.get('code');
  return code === undefined ? refuse('server_error', 'The identity provider sends no code.') : ok(code);
};

const sealCode = (parts: FacadeParts, fronted: Fronted, signIn: SignIn, providerCode: string): string => {
  const { authorization, verifier, nonce } = signIn;
  const code: Code = {
    id: parts.newId(),
    untilSeconds: nowSecondsOf(parts) + CODE_SECONDS,
    providerCode,
    verifier,
    nonce,
    authorization,
  };
  return parts.sealer.seal('code', fronted.ref, code);
};

type CameBack = {
  readonly reply: Reply;
  /** What the client was told, for the log. */
  readonly refused?: Refusal;
};

export const callback = async (
  parts: FacadeParts,
  fronted: Fronted,
  request: Request,
): Promise<Result<CameBack, Refusal>> => {
  const given = parseParameters(request.query);
  if (!given.ok) return given;
  const { cookie } = request;
  const signIn = openSignIn(parts, fronted, { cookie, state: given.value.get('state') });
  if (!signIn.ok) return signIn;
  // Whoever answers in the provider's place was not asked: his code is not taken anywhere (mix-up, RFC 9207 §2.4).
  if (!isProvider(fronted, given.value.get('iss')))
    return refuse('invalid_request', 'The answer comes from another identity provider.', { detail: 'iss' });
  const once = await claimOnce(parts.state, `state ${signIn.value.id}`, SIGN_IN_SECONDS);
  if (!once.ok) return once;
  if (!once.value) return refuse('invalid_request', 'The sign-in was finished before.', { detail: 'replay' });
  const { authorization } = signIn.value;
  const code = readCode(given.value);
  if (!code.ok)
    return ok({
      reply: redirectReply(refusedBack(fronted, authorization, code.error)),
      refused: code.error,
    });
  const sealed = sealCode(parts, fronted, signIn.value, code.value);
  return ok({ reply: redirectReply(codeBack(fronted, authorization, sealed)) });
};
