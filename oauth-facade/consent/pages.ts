// The pages a person sees: who asks for what and would be sent where, the way on, and what was wrong. Pure.

import type { Client } from '#oauth-facade/client/client.ts';
import { isLoopback } from '#oauth-facade/client/redirect-uri.ts';
import { escapeHtml, pageReply } from '#oauth-facade/consent/page-frame.ts';
import type { Reply } from '#oauth-facade/http/reply.ts';
import type { Refusal } from '#oauth-facade/refusal.ts';

export type Question = {
  readonly client: Client;
  readonly redirectUri: string;
  readonly serverName: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  /** Who lets people in here: the tenant. */
  readonly tenantName: string;
  /** Where the person signs in next. */
  readonly providerHost: string;
  /** Where the answer goes. */
  readonly action: string;
  /** The sealed request, which is also what no other page can have. */
  readonly sealed: string;
};

const row = (term: string, html: string): string => `<div><dt>${term}</dt><dd>${html}</dd></div>`;

const clientRow = ({ host }: Client): string =>
  host === undefined
    ? row('Who says so', 'Only the application itself. Nobody has checked its name.')
    : row('Who says so', `<strong>${escapeHtml(host)}</strong>`);

const targetRow = (redirectUri: string): string =>
  isLoopback(redirectUri)
    ? row('You will be sent back to', `a program on this computer (${escapeHtml(new URL(redirectUri).host)})`)
    : row('You will be sent back to', `<strong>${escapeHtml(new URL(redirectUri).host)}</strong>`);

const warning = ({ redirectUri, client }: Question): string => {
  if (isLoopback(redirectUri))
    return '<p class="warn">Any program on this computer could be asking under this name. Go on only if you have just started this sign-in yourself.</p>';
  return client.host === undefined || client.host !== new URL(redirectUri).host
    ? '<p class="warn">Go on only if you know the address you will be sent back to and have started this sign-in yourself.</p>'
    : '';
};

const scopesHtml = (scopes: readonly string[]): string =>
  scopes.length === 0
    ? 'no special rights'
    : scopes.map((scope) => `<code>${escapeHtml(scope)}</code>`).join('');

export const consentPage = (question: Question, cookies: readonly string[]): Reply => {
  const { client, serverName, tenantName, resource, providerHost } = question;
  return pageReply({
    status: 200,
    title: `Allow ${client.name}?`,
    cookies,
    main: `<h1>Allow “${escapeHtml(client.name)}” to use ${escapeHtml(serverName)} as you?</h1>
<p class="soft">Asked by the MCP gateway of ${escapeHtml(tenantName)}</p>
<dl>${clientRow(client)}${targetRow(question.redirectUri)}${row('Server', `${escapeHtml(serverName)}<code>${escapeHtml(resource)}</code>`)}${row('With the rights', scopesHtml(question.scopes))}</dl>
${warning(question)}
<p class="soft">After this you sign in at ${escapeHtml(providerHost)}.</p>
<form method="post" action="${escapeHtml(question.action)}"><input type="hidden" name="request" value="${escapeHtml(question.sealed)}"><button class="act" name="decision" value="allow">Allow</button><button name="decision" value="deny">Cancel</button></form>`,
  });
};

/** Leads on by a page instead of a redirect, because `form-action` of the page before would have to name every host on the way. */
export const onwardPage = (location: string, cookies: readonly string[]): Reply =>
  pageReply({
    status: 200,
    title: 'Signing in',
    cookies,
    head: `<meta http-equiv="refresh" content="0;url=${escapeHtml(location)}">`,
    main: `<h1>On to the sign-in</h1><p><a href="${escapeHtml(location)}" rel="noreferrer">Go on</a> if nothing happens.</p>`,
  });

/** What was wrong, to the person who sits before it; nobody is sent anywhere. */
export const faultPage = ({ status, error, sentence }: Refusal): Reply =>
  pageReply({
    // 401 would have to name a way to authenticate.
    status: status === 401 ? 400 : status,
    title: 'This sign-in cannot go on',
    main: `<h1>This sign-in cannot go on</h1><p>${escapeHtml(sentence)}</p><p class="soft">Error: <code>${escapeHtml(error)}</code>. Close this page and start again from the application; if it comes back, tell this to whoever runs the gateway.</p>`,
  });
