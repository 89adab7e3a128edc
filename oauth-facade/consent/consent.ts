// `/consent`: the answer to the page. It counts if it comes from the page itself, in the browser it was shown in: what is sealed
// into the page no other site can know, and no cookie of the person's comes with another site's form.

import { err, ok, type Result } from '#core/result.ts';
import { beginSignIn } from '#oauth-facade/authorize/begin-sign-in.ts';
import { browserDigest, readBrowser, readCookie } from '#oauth-facade/browser.ts';
import { rememberConsent } from '#oauth-facade/consent/consents.ts';
import { onwardPage } from '#oauth-facade/consent/pages.ts';
import type { PendingConsent } from '#oauth-facade/consent/pending.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { parseParameters } from '#oauth-facade/http/parameters.ts';
import type { Reply } from '#oauth-facade/http/reply.ts';
import type { Request } from '#oauth-facade/http/request.ts';
import { type FacadeParts, nowSecondsOf } from '#oauth-facade/parts.ts';
import { type Refusal, refusal, refuse } from '#oauth-facade/refusal.ts';
import { refusedBack } from '#oauth-facade/way-back.ts';

type Answered = { readonly pending: PendingConsent; readonly isAllowed: boolean };

const readAnswer = (parts: FacadeParts, fronted: Fronted, request: Request): Result<Answered, Refusal> => {
  if (request.origin !== parts.publicUrl)
    return refuse('invalid_request', 'The answer does not come from the page that asked.', {
      detail: 'origin',
    });
  const form = parseParameters(request.body);
  if (!form.ok) return form;
  const pending = parts.sealer.open<PendingConsent>('consent', fronted.ref, form.value.get('request') ?? '');
  if (pending === undefined || pending.untilSeconds <= nowSecondsOf(parts))
    return refuse('invalid_request', 'The page that asked is too old.');
  const browser = readBrowser(request.cookie, parts.cookies);
  if (browser === undefined || browserDigest(browser) !== pending.browser)
    return refuse('invalid_request', 'The page was shown in another browser, or cookies are off.', {
      detail: 'browser',
    });
  return ok({ pending, isAllowed: form.value.get('decision') === 'allow' });
};

export const consent = (parts: FacadeParts, fronted: Fronted, request: Request): Result<Reply, Refusal> => {
  const answered = readAnswer(parts, fronted, request);
  if (!answered.ok) return err(answered.error);
  const { authorization, browser } = answered.value.pending;
  if (!answered.value.isAllowed) {
    const denied = refusal('access_denied', 'The person did not allow it.');
    return ok(onwardPage(refusedBack(fronted, authorization, denied), []));
  }
  const record = {
    fronted,
    browser,
    cookie: readCookie(request.cookie, parts.cookies.consents),
    nowSeconds: nowSecondsOf(parts),
  };
  const remembered = rememberConsent(parts.sealer, record, authorization);
  const { consents, attributes } = parts.cookies;
  const cookies = remembered === undefined ? [] : [`${consents}=${remembered}${attributes}`];
  return ok(onwardPage(beginSignIn(parts, fronted, { authorization, browser }), cookies));
};
