// `/{tid}/oauth2/v2.0/authorize`: a page where one of the demo's people signs in, and the way back to the client. What is
// wrong with the request is said on the page: sending it to an address that may be wrong itself would be an open redirect.

import { err, ok, type Result } from '#core/result.ts';
import type { DemoApplication, DemoDirectory } from '#demo/directory.ts';
import type { CodeFacts, Codes } from '#demo/mini-entra/codes.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';
import { type Form, parseForm } from '#demo/mini-entra/form.ts';
import { hasConsent } from '#demo/mini-entra/grants/grant.ts';
import { signIn } from '#demo/mini-entra/grants/password.ts';
import { parseScopes } from '#demo/mini-entra/scopes.ts';
import type { World } from '#demo/mini-entra/world.ts';

export type SignInParts = { readonly world: World; readonly codes: Codes };

export type SignInRequest = {
  readonly tid: string;
  /** Query, without its question mark. */
  readonly query: string;
  /** The sent form; absent: the page is asked for. */
  readonly body?: string;
  readonly nowSeconds: number;
};

/** Where the browser goes, or the page it shows. */
export type SignInAnswer = { readonly location: string } | { readonly page: string };

type Asked = Omit<CodeFacts, 'user'> & { readonly directory: DemoDirectory; readonly state?: string };

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost)(?=[:/])/;

/** RFC 8252 §7.3: a native application listens on whatever port is free; all else is compared as it stands. */
const isRegistered = ({ redirectUris = [] }: DemoApplication, uri: string): boolean => {
  if (redirectUris.includes(uri)) return true;
  return LOOPBACK.test(uri) && redirectUris.includes(uri.replace(/^(http:\/\/[^/:]+):\d{1,5}(?=\/)/, '$1'));
};

const findClient = (
  { world }: SignInParts,
  directory: DemoDirectory,
  form: Form,
): Result<DemoApplication, EntraRefusal> => {
  const client = world.findApplication(directory, form.get('client_id') ?? '');
  if (client === undefined) return err({ code: 700016 });
  return isRegistered(client, form.get('redirect_uri') ?? '') ? ok(client) : err({ code: 50011 });
};

/** Scopes of one application, by the very URI that `resource` names, if one is named. */
const judgeScopes = (
  { world }: SignInParts,
  { directory, client }: { directory: DemoDirectory; client: DemoApplication },
  form: Form,
): EntraRefusal | undefined => {
  const requested = parseScopes(form.get('scope'), (name) => world.findResource(directory, name));
  if (!requested.ok) return requested.error;
  const resource = form.get('resource');
  if (resource !== undefined && resource !== requested.value.named) return { code: 9010010 };
  return hasConsent(client, requested.value.resource) ? undefined : { code: 65001 };
};

const optional = (form: Form, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (form.has(name) ? [[name, form.get(name) ?? '']] : [])));

const readAsked = (parts: SignInParts, { tid, query }: SignInRequest): Result<Asked, EntraRefusal> => {
  const directory = parts.world.findDirectory(tid);
  if (directory === undefined) return err({ code: 90002 });
  const form = parseForm(query);
  if (!form.ok) return form;
  const client = findClient(parts, directory, form.value);
  if (!client.ok) return client;
  const challenge = form.value.get('code_challenge');
  if (form.value.get('response_type') !== 'code') return err({ code: 900144 });
  if (challenge === undefined || form.value.get('code_challenge_method') !== 'S256')
    return err({ code: 9002325 });
  const refusal = judgeScopes(parts, { directory, client: client.value }, form.value);
  if (refusal !== undefined) return err(refusal);
  return ok({
    directory,
    tid,
    client: client.value,
    challenge,
    redirectUri: form.value.get('redirect_uri') ?? '',
    scope: form.value.get('scope') ?? '',
    ...optional(form.value, ['resource', 'claims', 'nonce', 'state']),
  });
};

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const pageFor = ({ directory, client }: Asked, fault = ''): string => `<!doctype html><meta charset="utf-8">
<title>Sign in to ${escapeHtml(directory.name)}</title>
<h1>Sign in to ${escapeHtml(directory.name)}</h1>
<p>for ${escapeHtml(client.name)}. ${escapeHtml(fault)}</p>
<form method="post">
<select name="username">${directory.users.map(({ name }) => `<option>${escapeHtml(name)}</option>`).join('')}</select>
<input name="password" type="password" autofocus> <button>Sign in</button></form>
<p>The password of the demo's <i>name</i> is <i>name</i>-demo-password.</p>`;

/** The page, or the way back with a code once somebody has signed in. */
export const answerSignIn = (
  parts: SignInParts,
  request: SignInRequest,
): Result<SignInAnswer, EntraRefusal> => {
  const asked = readAsked(parts, request);
  if (!asked.ok) return asked;
  if (request.body === undefined) return ok({ page: pageFor(asked.value) });
  const form = parseForm(request.body);
  if (!form.ok) return form;
  const { directory, state, ...facts } = asked.value;
  const user = signIn({ world: parts.world, directory, form: form.value });
  if (!user.ok) return ok({ page: pageFor(asked.value, 'That was not right.') });
  const back = new URL(facts.redirectUri);
  back.searchParams.set('code', parts.codes.issue({ ...facts, user: user.value }, request.nowSeconds));
  if (state !== undefined) back.searchParams.set('state', state);
  return ok({ location: back.href });
};
