// `/authorize`: judges the request, then asks the person, or goes on where just this was allowed here before.

import { err, ok, type Result } from '#core/result.ts';
import { beginSignIn } from '#oauth-facade/authorize/begin-sign-in.ts';
import type { Judged } from '#oauth-facade/authorize/judge-request.ts';
import { judgeRequest } from '#oauth-facade/authorize/judge-request.ts';
import { browserDigest, readBrowser, readCookie } from '#oauth-facade/browser.ts';
import { findClient } from '#oauth-facade/client/find-client.ts';
import { isRemembered } from '#oauth-facade/consent/consents.ts';
import { consentPage } from '#oauth-facade/consent/pages.ts';
import type { PendingConsent } from '#oauth-facade/consent/pending.ts';
import { CONSENT_SECONDS } from '#oauth-facade/consent/pending.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { parseParameters } from '#oauth-facade/http/parameters.ts';
import { type Reply, redirectReply } from '#oauth-facade/http/reply.ts';
import type { Request } from '#oauth-facade/http/request.ts';
import { type FacadeParts, nowSecondsOf } from '#oauth-facade/parts.ts';
import type { Refusal } from '#oauth-facade/refusal.ts';

const judge = async (
  parts: FacadeParts,
  fronted: Fronted,
  request: Request,
): Promise<Result<Judged, Refusal>> => {
  const given = parseParameters(request.query);
  if (!given.ok) return given;
  const client = await findClient(fronted, given.value.get('client_id'), parts);
  if (!client.ok) return client;
  return judgeRequest(fronted, client.value, { given: given.value, gatewayUrl: parts.gatewayUrl });
};

const ask = (
  parts: FacadeParts,
  fronted: Fronted,
  { judged, browser }: { readonly judged: Judged; readonly browser: string },
): Reply => {
  const { authorization, client, endpoint } = judged;
  const pending: PendingConsent = {
    authorization,
    browser: browserDigest(browser),
    untilSeconds: nowSecondsOf(parts) + CONSENT_SECONDS,
  };
  const { cookies } = parts;
  return consentPage(
    {
      client,
      redirectUri: authorization.redirectUri,
      serverName: endpoint.server.displayName,
      resource: authorization.resource,
      scopes: authorization.scopes,
      tenantName: fronted.tenant.displayName,
      providerHost: new URL(fronted.facade.authorizationEndpoint).host,
      action: `${fronted.url}/consent`,
      sealed: parts.sealer.seal('consent', fronted.ref, pending),
    },
    // Given anew each time, so that it lives as long as what is remembered under it.
    [`${cookies.browser}=${browser}${cookies.attributes}`],
  );
};

export const authorize = async (
  parts: FacadeParts,
  fronted: Fronted,
  request: Request,
): Promise<Result<Reply, Refusal>> => {
  const judged = await judge(parts, fronted, request);
  if (!judged.ok) return err(judged.error);
  const known = readBrowser(request.cookie, parts.cookies);
  const browser = known ?? parts.newId();
  const record = {
    fronted,
    browser: browserDigest(browser),
    cookie: readCookie(request.cookie, parts.cookies.consents),
    nowSeconds: nowSecondsOf(parts),
  };
  if (known !== undefined && isRemembered(parts.sealer, record, judged.value.authorization))
    return ok(redirectReply(beginSignIn(parts, fronted, { ...judged.value, browser: record.browser })));
  return ok(ask(parts, fronted, { judged: judged.value, browser }));
};
