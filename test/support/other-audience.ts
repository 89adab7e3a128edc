// Gives the demo's tracker a second audience under which its identity provider knows it, as an Entra application has one that
// was made before there was a gateway: its scopes then have that name, and no longer the server's own.

import { expect } from 'vitest';
import type { Product } from '#test/support/product.ts';

export const OTHER_AUDIENCE = 'api://gateway-tracker';

/** Resolves when clients are told of it. */
export const addOtherAudience = async (product: Product): Promise<void> => {
  const path = '/v1/tenants/default/servers/tracker';
  const { body, etag } = await product.registry('GET', path);
  const { bindings } = body as { bindings: { audiences: string[] }[] };
  const changed = bindings.map((binding) => ({
    ...binding,
    audiences: [...binding.audiences, OTHER_AUDIENCE],
  }));
  const answer = await product.registry('PATCH', path, { bindings: changed }, { 'if-match': etag });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const metadata = `${product.quickstart.gateway}/.well-known/oauth-protected-resource/mcp/tracker`;
  const scopes = async () =>
    ((await (await fetch(metadata)).json()) as Record<string, unknown>)['scopes_supported'];
  await expect.poll(scopes, { timeout: 30_000 }).toEqual([`${OTHER_AUDIENCE}/tools.use`]);
};
