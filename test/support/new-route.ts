// A new version of a server as an admin brings it into service, and a call that waits for it.

import type { McpServer } from '#core/server.ts';
import { send, statelessRequest } from '#test/support/raw-call.ts';

/** Where a server's API is, and an admin's token. */
export type ServerApi = { readonly api: string; readonly token: string };

const DEADLINE_MS = 30_000;

const put = async (url: string, token: string, body: object, condition: object = {}): Promise<string> => {
  const response = await fetch(url, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-change-reason': 'a new version',
      ...condition,
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${text}`);
  return response.headers.get('etag') ?? '';
};

export type Published = {
  readonly name: string;
  /** Of its endpoint. */
  readonly path: string;
  readonly etag: string;
};

/** Publishes a version with the tools of the server's first, at an endpoint of its own. */
export const publishVersion = async (
  { api, token }: ServerApi,
  server: McpServer,
  { name, host }: { readonly name: string; readonly host: string },
): Promise<Published> => {
  const path = `/v/${name}`;
  const [first] = server.versions;
  const { version: _version, ...published } = first ?? { version: '' };
  const body = { ...published, endpoints: [`http://${host}${path}`] };
  return { name, path, etag: await put(`${api}/versions/${name}`, token, body) };
};

/** Publishing has changed the server too, in the same revision, so the version's ETag is that of both. */
export const activateVersion = async (
  { api, token }: ServerApi,
  { name, etag }: Published,
): Promise<void> => {
  await put(`${api}/active-version`, token, { version: name }, { 'if-match': etag });
};

/** Lists the tools of the server at `url` until the answer comes from an endpoint whose path holds `path`. */
export const callUntil = async (url: string, token: string, path: string): Promise<void> => {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const { status, text } = await send(url, statelessRequest('tools/list', {}, { token }));
    if (status === 200 && text.includes(path)) return;
    if (performance.now() > end) throw new Error(`${url} does not lead to ${path}: ${status} ${text}`);
  }
};
