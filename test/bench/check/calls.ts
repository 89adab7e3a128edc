// The calls of a benchmark, once as what Envoy asks a decision service and once as what a client sends to a gateway. Written
// to files beforehand, so that making them costs nothing while the clock runs.

import { randomUUID } from 'node:crypto';
import type { Caller } from '#test/bench/check/callers.ts';
import { SERVER, TOOLS, toolName } from '#test/bench/check/tenant.ts';
import { writeMessages, writeRequests } from '#test/bench/peers/peers.ts';

/** One call in so many is for a tool its caller was not granted. */
export const DENIED_EVERY = 20;

/** Text that brings the body to about 0.9 KB, which is what a call with a paragraph of arguments has. */
const PARAGRAPH = 'Something happened that somebody has to look at before the end of the week. '.repeat(8);

export type BenchCall = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** A tool of nobody's groups among the caller's. */
const foreignTool = ({ tools }: Caller): number => {
  const granted = new Set(tools);
  const found = Array.from({ length: TOOLS }, (_, number) => number).find((number) => !granted.has(number));
  if (found === undefined) throw new Error('a caller of a benchmark may use every tool');
  return found;
};

const callOf = (caller: Caller, number: number, { tenant, isDenied }: CallKind): BenchCall => {
  const tool = isDenied ? foreignTool(caller) : (caller.tools[(number * 7) % caller.tools.length] ?? 0);
  const callArguments = {
    title: `Case ${number}`,
    body: PARAGRAPH,
    priority: 'medium',
    labels: ['bench', `n-${number}`],
  };
  const params = { name: toolName(tool), arguments: callArguments };
  const body = JSON.stringify({ jsonrpc: '2.0', id: number, method: 'tools/call', params });
  return {
    path: `/t/${tenant}/mcp/${SERVER}`,
    headers: {
      authorization: `Bearer ${caller.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      'user-agent': 'bench/1',
    },
    body,
  };
};

type CallKind = { readonly tenant: string; readonly isDenied: boolean };

/** Which calls are denied: one in DENIED_EVERY, all, or none. */
export type Mix = 'mixed' | 'denied' | 'allowed';

const isDenied = (mix: Mix, index: number): boolean =>
  mix === 'mixed' ? index % DENIED_EVERY === DENIED_EVERY - 1 : mix === 'denied';

/** One call of each caller. */
export const benchCalls = (
  callers: readonly Caller[],
  { tenant, mix }: { readonly tenant: string; readonly mix: Mix },
): readonly BenchCall[] =>
  callers.map((caller, index) => callOf(caller, index, { tenant, isDenied: isDenied(mix, index) }));

const socketAddress = (port: number): object => ({
  address: { socket_address: { address: '127.0.0.1', port_value: port } },
});

/** As Envoy 1.40 writes it for the listener of xds-server: raw header lines, the body as bytes, ids of the route. */
const checkMessage = ({ path, headers, body }: BenchCall, tenant: string): object => {
  const lines = {
    ':authority': '127.0.0.1:8080',
    ':path': path,
    ':method': 'POST',
    ':scheme': 'http',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    'x-forwarded-proto': 'http',
    'x-request-id': randomUUID(),
  };
  return {
    attributes: {
      source: socketAddress(50_000),
      destination: socketAddress(8_080),
      request: {
        time: { seconds: String(Math.floor(Date.now() / 1_000)), nanos: 0 },
        http: {
          id: '1234567890',
          method: 'POST',
          path,
          host: '127.0.0.1:8080',
          scheme: 'http',
          protocol: 'HTTP/1.1',
          size: String(Buffer.byteLength(body)),
          header_map: {
            headers: Object.entries(lines).map(([key, value]) => ({ key, raw_value: Buffer.from(value) })),
          },
          raw_body: Buffer.from(body),
        },
      },
      context_extensions: { tenant, server: SERVER },
      metadata_context: {},
      route_metadata_context: {},
    },
  };
};

/** Writes the calls as encoded CheckRequests. */
export const writeCheckMessages = (file: string, calls: readonly BenchCall[], tenant: string): void =>
  writeMessages(
    file,
    calls.map((call) => checkMessage(call, tenant)),
  );

/** Writes the calls as HTTP requests. */
export const writeHttpRequests = (file: string, calls: readonly BenchCall[]): void =>
  writeRequests(
    file,
    calls.map((call) => ({ method: 'POST', ...call })),
  );
