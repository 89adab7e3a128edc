// How an answer leaves: as JSON, or acted out as one of the faults of the wire.

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '#demo/mini-entra/faults.ts';

type Reply = { readonly status: number; readonly body: object };

/** Token answers must not be stored (RFC 6749 §5.1); the rest may be, but a demo gains nothing by it. */
const HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' } as const;

export const sendJson = (
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void => {
  response.writeHead(status, { ...HEADERS, ...headers }).end(JSON.stringify(body));
};

export const retryAfter = (seconds: number | undefined): Readonly<Record<string, string>> =>
  seconds === undefined ? {} : { 'retry-after': String(seconds) };

const sendTruncated = (response: ServerResponse, reply: Reply): void => {
  const text = JSON.stringify(reply.body);
  response.writeHead(reply.status, { ...HEADERS, 'content-length': Buffer.byteLength(text) });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
};

const sendFault = async (
  response: ServerResponse,
  reply: Reply,
  fault: Exclude<Fault, { kind: 'refusal' }>,
): Promise<void> => {
  switch (fault.kind) {
    case 'throttled':
      return sendJson(response, 429, { error: 'throttled' }, retryAfter(fault.retryAfterSeconds));
    case 'server_error':
      return sendJson(response, 503, { error: 'server_error' }, retryAfter(fault.retryAfterSeconds));
    case 'non_json':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>');
    case 'truncated':
      return sendTruncated(response, reply);
    case 'timeout': {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      await sleep(fault.delayMs, undefined, { signal: gone.signal });
      return sendJson(response, reply.status, reply.body);
    }
  }
};

/** Writes the answer of the token endpoint, through the fault that was ordered for it if any. */
export const sendTokenReply = async (
  response: ServerResponse,
  reply: Reply,
  fault: Fault | undefined,
): Promise<void> =>
  fault === undefined || fault.kind === 'refusal'
    ? sendJson(response, reply.status, reply.body)
    : sendFault(response, reply, fault);
