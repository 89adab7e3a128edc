// Answers before they are bytes, with the headers each kind always has. Pure.

import type { Json } from '#core/json.ts';
import type { Refusal } from '#oauth-facade/refusal.ts';

export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `Set-Cookie` lines. */
  readonly cookies?: readonly string[];
};

const NO_STORE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** Clients that are web pages call these from anywhere; no answer depends on a cookie. */
const OPEN = { 'access-control-allow-origin': '*' } as const;

export const jsonReply = (
  status: number,
  body: Json,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({
  status,
  headers: { ...NO_STORE, ...OPEN, 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

const retryAfter = ({ retryAfterSeconds }: Refusal): Readonly<Record<string, string>> =>
  retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };

/** A refusal as RFC 6749 §5.2 writes it. */
export const refusalReply = (refused: Refusal): Reply =>
  jsonReply(
    refused.status,
    { error: refused.error, error_description: refused.sentence },
    retryAfter(refused),
  );

/** A redirect that no cache keeps and whose next page learns nothing of this one. */
export const redirectReply = (location: string): Reply => ({
  status: 303,
  headers: { ...NO_STORE, location, 'referrer-policy': 'no-referrer' },
  body: '',
});

export const preflightReply = (): Reply => ({
  status: 204,
  headers: {
    ...OPEN,
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-allow-headers': 'content-type, mcp-protocol-version',
    'access-control-max-age': '600',
  },
  body: '',
});
