// What reached the MCP servers, as they wrote it down: read on as the file grows.

import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { TokenFacts } from '#demo/servers/token-check.ts';

/** One request at an MCP server. */
export type Arrival = {
  /** When it was written down, milliseconds since the epoch. */
  readonly at: number;
  readonly tenant: string;
  readonly server: string;
  /** HTTP method. */
  readonly http: string;
  /** JSON-RPC method and tool; empty where there is none. */
  readonly method: string;
  readonly tool: string;
  /** JSON-RPC id, which the load makes different for each call. */
  readonly call: string;
  readonly requestId: string;
  /** Facts of a token that is good for this server, or why it is not. */
  readonly token: TokenFacts | string;
};

const CHUNK_BYTES = 1 << 20;

/** A reader of the file that yields what has come since it was last asked. Half a line waits for its other half. */
export const createArrivalReader = (file: string): (() => readonly Arrival[]) => {
  let offset = 0;
  let rest = '';
  const readOn = (): string => {
    if (!existsSync(file)) return '';
    const descriptor = openSync(file, 'r');
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let text = '';
    for (;;) {
      const bytes = readSync(descriptor, chunk, 0, CHUNK_BYTES, offset);
      if (bytes === 0) break;
      offset += bytes;
      text += chunk.toString('utf8', 0, bytes);
    }
    closeSync(descriptor);
    return text;
  };
  return () => {
    const lines = (rest + readOn()).split('\n');
    rest = lines.pop() ?? '';
    return lines.map((line) => JSON.parse(line) as Arrival);
  };
};
