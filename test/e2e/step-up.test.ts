// A stronger sign-in at Entra, through the whole product: who is told what to ask for, and gets through with it.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { APPLICATION_IDS, CONTOSO_TID } from '#demo/directory.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, type RawAnswer } from '#test/support/raw-call.ts';

/** What a client sends that can answer claims challenges. */
const CAN_ANSWER = { xms_cc: { values: ['cp1'] } };

let product: Product;
let provider: string;
let tracker: string;

const bindAssurance = async (): Promise<void> => {
  const path = '/v1/tenants/default/servers/tracker';
  const { body, etag } = await product.registry('GET', path);
  const { bindings } = body as { bindings: { issuerId: string }[] };
  const requiredAssurance = [{ anyOf: ['c1'], tools: ['close_issue'] }];
  const changed = bindings.map((binding) =>
    binding.issuerId === 'contoso' ? { ...binding, requiredAssurance } : binding,
  );
  const answer = await product.registry('PATCH', path, { bindings: changed }, { 'if-match': etag });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
};

const tokenWith = async (claims: object): Promise<string> => {
  const answer = await fetch(`${provider}/${CONTOSO_TID}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: APPLICATION_IDS.demoCli,
      username: 'alice',
      password: 'alice-demo-password',
      scope: 'api://gateway-tracker/tools.use',
      claims: JSON.stringify({ access_token: claims }),
    }),
  });
  return String(((await answer.json()) as { access_token: string }).access_token);
};

const close = (token: string): Promise<RawAnswer> =>
  callTool(tracker, token, { name: 'close_issue', arguments: { id: 1 } });

const reasonOf = (answer: RawAnswer): unknown => answer.message.error?.data['reason'];

const challengeOf = (answer: RawAnswer): string => answer.headers.get('www-authenticate') ?? '';

const claimsOf = (answer: RawAnswer): { access_token: Record<string, unknown> } => {
  const claims = /claims="([^"]+)"/.exec(challengeOf(answer))?.[1] ?? '';
  return JSON.parse(Buffer.from(claims, 'base64').toString()) as ReturnType<typeof claimsOf>;
};

beforeAll(async () => {
  product = await startProduct();
  provider = new URL(product.quickstart.issuer).origin;
  tracker = product.serverUrl('tracker');
  await bindAssurance();
}, 300_000);
afterAll(() => product?.stop());

describe('a tool that asks for an authentication context', () => {
  it('tells a client that can answer which claims to ask for, and lets it through with them', async () => {
    const refused = await vi.waitFor(
      async () => {
        const answer = await close(await tokenWith(CAN_ANSWER));
        expect(reasonOf(answer)).toBe('assurance_insufficient');
        return answer;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(refused.status).toBe(401);
    expect(challengeOf(refused)).toContain('Bearer error="insufficient_claims"');
    const { access_token: asked } = claimsOf(refused);
    expect(asked).toEqual({ acrs: { essential: true, value: 'c1' } });
    const passed = await close(await tokenWith({ ...CAN_ANSWER, ...asked }));
    expect(passed.message.error, passed.text).toBeUndefined();
  });

  it('sends nobody to sign in who would come back with the same token', async () => {
    const refused = await close(await tokenWith({}));
    expect([refused.status, reasonOf(refused)]).toEqual([403, 'assurance_insufficient']);
    expect(refused.headers.has('www-authenticate')).toBe(false);
  });

  it('asks nothing for its neighbours, and for nobody of another issuer', async () => {
    const alice = await callTool(tracker, await tokenWith({}), { name: 'list_issues' });
    expect(alice.message.error, alice.text).toBeUndefined();
    const paula = await callTool(tracker, await product.token('paula'), { name: 'list_issues' });
    expect(paula.message.error, paula.text).toBeUndefined();
  });

  it('says nothing of it to whoever has not got the tool', async () => {
    expect(reasonOf(await close(await product.token('bob')))).toBe('tool_not_granted');
  });
});

describe('the provider of the upstream token', () => {
  it('has its claims challenge handed on to a client that can answer it, to the letter', async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c7"}}}';
    const order = JSON.stringify({ kind: 'interaction_required', grant: 'on_behalf_of', claims });
    for (const [asked, status] of [
      [CAN_ANSWER, 401],
      [{}, 403],
    ] as const) {
      await fetch(`${provider}/control/faults`, { method: 'POST', body: order });
      const answer = await callTool(tracker, await tokenWith(asked), { name: 'whoami' });
      await product.clearProviderFaults();
      expect([answer.status, reasonOf(answer)]).toEqual([status, 'step_up_required']);
      if (status === 401) expect(claimsOf(answer)).toEqual(JSON.parse(claims));
      else expect(challengeOf(answer)).toBe('');
    }
  });
});
