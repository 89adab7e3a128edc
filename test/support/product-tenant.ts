// A tenant of the running product, made and changed through the registry's API as an operator would.

import { expect } from 'vitest';
import type { Product } from '#test/support/product.ts';
import { type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';
import { type VersionServer, versionTools } from '#test/support/version-server.ts';

export type ServerOrder = {
  readonly upstream: Pick<VersionServer, 'url' | 'version'>;
  readonly tools: readonly string[];
  readonly bindings: readonly object[];
  /** What the server says of its tools. */
  readonly descriptions?: Readonly<Record<string, string>>;
};

export type ProductTenant = {
  readonly path: string;
  /** Creates what is not there. */
  create(path: string, body: object): Promise<void>;
  /** Replaces what is there; resolves when every part serves it. */
  replace(path: string, body: object): Promise<void>;
  /** Changes some fields of what is there, without waiting for anybody. */
  patch(path: string, body: object): Promise<void>;
  /** A server that exchanges no tokens, in service. */
  register(id: string, order: ServerOrder): Promise<void>;
  /** All tools of a server for one kind of caller. */
  grant(
    id: string,
    grant: { readonly serverId: string; readonly subjects: readonly object[] },
  ): Promise<void>;
  url(serverId: string): string;
};

const PROTOCOLS = ['2025-06-18', '2025-11-25', '2026-07-28'];

/** Makes the tenant. */
export const bringTenant = async (product: Product, tenantId: string): Promise<ProductTenant> => {
  const root = `/v1/tenants/${tenantId}`;
  const send = async (order: { method: string; path: string; body: object; condition: string }) => {
    const conditions = order.condition === 'none' ? { 'if-none-match': '*' } : { 'if-match': '*' };
    const answer = await product.registry(order.method, `${root}${order.path}`, order.body, conditions);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  };
  const create: ProductTenant['create'] = (path, body) =>
    send({ method: 'PUT', path, body, condition: 'none' });
  const replace: ProductTenant['replace'] = (path, body) =>
    send({ method: 'PUT', path: `${path}?wait=applied&waitSeconds=30`, body, condition: 'any' });
  await create('', { displayName: tenantId, accessContact: `access@${tenantId}.example`, fourEyes: false });
  return {
    path: root,
    create,
    replace,
    patch: (path, body) => send({ method: 'PATCH', path, body, condition: 'any' }),
    register: async (id, { upstream, tools, bindings, descriptions }) => {
      await create(`/servers/${id}`, {
        displayName: id,
        allowedHosts: [new URL(upstream.url).host],
        upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
        bindings,
      });
      await create(`/servers/${id}/versions/${upstream.version}`, {
        endpoints: [upstream.url],
        protocolVersions: PROTOCOLS,
        tools: versionTools(tools, descriptions),
      });
      await replace(`/servers/${id}/active-version`, { version: upstream.version });
    },
    grant: (id, { serverId, subjects }) =>
      create(`/grants/${id}`, { serverId, subjects, tools: ['*'], prompts: [], resources: [] }),
    url: (serverId) => `${product.quickstart.gateway}/t/${tenantId}/mcp/${serverId}`,
  };
};

/** Names of the tools a caller is shown, or the reason of the refusal. */
export const listedTools = async (url: string, token: string): Promise<readonly string[] | string> => {
  const answer = await send(url, statelessRequest('tools/list', {}, { token }));
  const tools = answer.message.result?.['tools'] as readonly { readonly name: string }[] | undefined;
  return tools?.map(({ name }) => name).toSorted() ?? reasonIn(answer) ?? `status ${answer.status}`;
};

/** `ok`, or the reason of the refusal, of one call of a tool. */
export const outcomeOfCall = async (url: string, token: string, tool: string): Promise<string> => {
  const answer = await send(url, statelessRequest('tools/call', { name: tool, arguments: {} }, { token }));
  return reasonIn(answer) ?? (answer.message.result === undefined ? `status ${answer.status}` : 'ok');
};

/** The reason of a refusal; undefined for any other answer. */
export const reasonIn = (answer: RawAnswer): string | undefined =>
  answer.message.error?.data['reason'] as string | undefined;
