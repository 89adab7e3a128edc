// The sign-in of MCP clients at an identity provider as Entra is one: no registration, no word of PKCE, `resource` held against
// the scopes to the letter. Through the whole demo, as its users do it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { createSignInMemory, type SignedInClient, signInAndConnect } from '#test/support/oauth-client.ts';
import { addOtherAudience } from '#test/support/other-audience.ts';
import { type Product, startProduct } from '#test/support/product.ts';

const REDIRECT = 'http://127.0.0.1:53682/callback';

let product: Product;
const open: SignedInClient[] = [];

beforeAll(async () => {
  product = await startProduct();
}, 300_000);
afterAll(async () => {
  for (const client of open) await client.close();
  await product?.stop();
});

/** Fills in the page and sends it. */
const signInAs = (user: string) => async (address: string) => {
  const page = await fetch(address);
  expect(page.status, await page.clone().text()).toBe(200);
  const answer = await fetch(address, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ username: user, password: `${user}-demo-password` }),
  });
  return new URL(answer.headers.get('location') ?? '', address);
};

const connect = async (line: 'v1' | 'v2', url: string) => {
  const memory = createSignInMemory({
    redirectUri: REDIRECT,
    clientId: APPLICATION_IDS.demoCli,
    visit: signInAs('alice'),
  });
  const client = await signInAndConnect(line, url, memory);
  open.push(client);
  return { memory, client };
};

describe.each(['v1', 'v2'] as const)('the %s client', (line) => {
  it.each(['short', 'canonical'] as const)('signs in and calls, by the %s address', async (form) => {
    const url = form === 'short' ? product.serverUrl('tracker') : product.canonicalUrl('tracker');
    const { memory, client } = await connect(line, url);
    expect(Object.fromEntries(memory.sentTo[0]?.searchParams ?? [])).toMatchObject({
      resource: url,
      scope: `${url}/tools.use`,
    });
    expect(await client.listTools()).toContain('close_issue');
    expect(await client.callTool('whoami')).toContain('10000000-aaaa-4aaa-8aaa-00000000000a');
    expect(memory.sentTo).toHaveLength(1);
  });
});

it('a binding that lists another URI only leads clients into AADSTS9010010', async () => {
  await addOtherAudience(product);
  await expect(connect('v2', product.serverUrl('tracker'))).rejects.toThrow('AADSTS9010010');
});
