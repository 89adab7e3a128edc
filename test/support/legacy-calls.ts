// Calls of the older protocol era as a client makes them: sessions, answers, streams that stay open.

import type { RawAnswer } from '#test/support/raw-call.ts';

export const LEGACY = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' };

/** Asks once; may be asked again. */
export type Ask = () => Promise<RawAnswer>;

export type Stream = { isOpen(): boolean; readonly ended: Promise<number>; close(): void };

/** Why the gateway refused; an error of the server itself has no such reason. */
export const reasonOf = (answer: RawAnswer): unknown => answer.message.error?.data?.['reason'];

const WAIT_MS = 10_000;

/** Milliseconds until the answer is refused for this reason, or allowed for `undefined`. */
export const untilAnswer = async (ask: Ask, reason: string | undefined): Promise<number> => {
  const startedAt = performance.now();
  for (;;) {
    const found = reasonOf(await ask());
    if (found === reason) return performance.now() - startedAt;
    if (performance.now() - startedAt > WAIT_MS) throw new Error(`${reason} is still ${found}`);
  }
};

/** An answer that is an event stream, until it ends. */
export const follow = (answer: Response, abort: AbortController): Stream => {
  const type = answer.headers.get('content-type');
  if (answer.status !== 200 || type !== 'text/event-stream')
    throw new Error(`no event stream: ${answer.status} ${type}`);
  let open = true;
  const ended = answer.text().then(
    () => performance.now(),
    () => performance.now(),
  );
  void ended.then(() => {
    open = false;
  });
  return { isOpen: () => open, ended, close: () => abort.abort() };
};

/** @param url of the server, asked at each call. */
export const createLegacyCalls = (url: () => string) => {
  const post = (token: string, body: object, session?: string): Promise<Response> =>
    fetch(url(), {
      method: 'POST',
      headers: {
        ...LEGACY,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    });

  /** A call as an answer; one that was cut off on its way has none. */
  const ask =
    (token: string, body: object, session?: string): Ask =>
    async () => {
      const answer = await post(token, body, session);
      const text = await answer.text().catch(() => '');
      const message = text.startsWith('{') ? (JSON.parse(text) as RawAnswer['message']) : {};
      return { status: answer.status, headers: answer.headers, text, message };
    };

  const openSession = async (token: string): Promise<string> => {
    const clientInfo = { name: 'e2e', version: '1.0.0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const answer = await post(token, { id: 1, method: 'initialize', params });
    await answer.text();
    const session = answer.headers.get('mcp-session-id');
    if (answer.status !== 200 || session === null) throw new Error(`no session: ${answer.status}`);
    await (await post(token, { method: 'notifications/initialized' }, session)).text();
    return session;
  };

  const bodyless = (method: 'GET' | 'DELETE', token: string, session: string, signal?: AbortSignal) =>
    fetch(url(), {
      method,
      headers: { ...LEGACY, authorization: `Bearer ${token}`, 'mcp-session-id': session },
      ...(signal === undefined ? {} : { signal }),
    });

  /** An idle GET stream of a session of its own. */
  const openIdle = async (token: string): Promise<Stream> => {
    const abort = new AbortController();
    return follow(await bodyless('GET', token, await openSession(token), abort.signal), abort);
  };

  return { post, ask, openSession, bodyless, openIdle };
};
