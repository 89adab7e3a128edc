// Calls through the bench of ext-proc-envoy.ts: the orders ext-authz would give, and a client that notes when each piece
// of the answer came and how it ended.

import { type IncomingHttpHeaders, request } from 'node:http';
import { type GuardOrders, guardOrdersToJson, type ListOrder } from '#core/guard-orders.ts';
import type { JsonObject } from '#core/json.ts';
import { ORDERS_HEADER } from '#test/support/ext-proc-envoy.ts';

export const TENANT = 'acme';
export const SERVER = 'tracker';

/** Orders of a plain call. */
export const ordersOff = (overrides: Partial<GuardOrders> = {}): GuardOrders => ({
  guard: 'off',
  tenantId: TENANT,
  serverId: SERVER,
  version: '1.0.0',
  principal: '["https://idp.example","alice"]',
  era: 'legacy',
  requestId: 'request-1',
  sequence: 7,
  method: 'tools/call',
  jsonRpcId: 'call-1',
  lists: [],
  ...overrides,
});

/** Orders of `tools/list` that show the given names. */
export const ordersTools = (names: readonly string[], overrides: Partial<GuardOrders> = {}): GuardOrders =>
  ordersOff({
    guard: 'list',
    method: 'tools/list',
    lists: [{ kind: 'tools', visible: { all: false, names } } satisfies ListOrder],
    ...overrides,
  });

export type GuardedAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Each piece and the milliseconds since the call was sent. */
  readonly pieces: readonly { readonly text: string; readonly atMs: number }[];
  readonly end: 'whole' | 'broken';
  readonly endedAtMs: number;
};

export type OpenCall = {
  readonly answer: Promise<GuardedAnswer>;
  /** Resolves with all text so far once it holds `part`. */
  until(part: string): Promise<string>;
  abort(): void;
};

const WAIT_MS = 10_000;

/**
 * Starts a call.
 * @param orders undefined: ext-authz writes no metadata; raw JSON is written as it is.
 */
export const openCall = (url: string, orders: GuardOrders | JsonObject | undefined): OpenCall => {
  const startedAt = performance.now();
  const sinceMs = () => performance.now() - startedAt;
  const pieces: { text: string; atMs: number }[] = [];
  const waiting: (() => void)[] = [];
  const text = () => pieces.map((piece) => piece.text).join('');
  const json = orders !== undefined && 'lists' in orders ? guardOrdersToJson(orders as GuardOrders) : orders;
  const headers = json === undefined ? {} : { [ORDERS_HEADER]: JSON.stringify(json) };
  const call = request(url, { method: 'POST', headers, agent: false });
  const answer = new Promise<GuardedAnswer>((resolve, reject) => {
    call.once('error', reject);
    call.once('response', (response) => {
      const finish = (end: GuardedAnswer['end']) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: text(),
          pieces,
          end,
          endedAtMs: sinceMs(),
        });
      response.on('data', (piece: Buffer) => {
        pieces.push({ text: piece.toString('utf8'), atMs: sinceMs() });
        for (const check of waiting) check();
      });
      response.once('end', () => finish('whole'));
      response.once('error', () => finish('broken'));
    });
  });
  answer.catch(() => undefined);
  call.end('{}');
  return {
    answer,
    abort: () => call.destroy(),
    until: (part) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`not within ${WAIT_MS} ms: ${part}; so far: ${text()}`)),
          WAIT_MS,
        );
        const check = () => {
          if (!text().includes(part)) return;
          clearTimeout(timer);
          resolve(text());
        };
        waiting.push(check);
        check();
      }),
  };
};

/** A call, answered to its end. */
export const callGuarded = (
  url: string,
  orders: GuardOrders | JsonObject | undefined,
): Promise<GuardedAnswer> => openCall(url, orders).answer;

/** The `tools/list` answer with the given tools. */
export const toolsAnswer = (names: readonly string[], more: JsonObject = {}): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 'call-1',
    result: {
      tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })),
      nextCursor: 'next',
      ...more,
    },
  });
