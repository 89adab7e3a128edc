// Ready means that a call works. The supervisor makes the first one itself, as alice, all the way to the server and back.

import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoSettings } from '#demo/supervisor/settings.ts';
import { requestUserToken, serverScope } from '#demo/supervisor/user-token.ts';

const DEADLINE_MS = 30_000;
const POLL_MS = 100;

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

type Answer = { readonly status: number; readonly text: string };

const callTracker = async (settings: DemoSettings, token: string): Promise<Answer> => {
  const response = await fetch(`http://127.0.0.1:${settings.gatewayPort}/mcp/tracker`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'ready', method: 'tools/list', params: { _meta: META } }),
  });
  return { status: response.status, text: await response.text() };
};

const isAnswered = ({ status, text }: Answer): boolean => status === 200 && text.includes('"list_issues"');

/**
 * Calls until it works.
 * @throws with the last answer if it does not within half a minute
 */
export const makeFirstCall = async (settings: DemoSettings, signal: AbortSignal): Promise<string> => {
  const token = await requestUserToken(settings.providerOrigin, 'alice', serverScope('tracker'));
  const end = performance.now() + DEADLINE_MS;
  let last = '';
  while (performance.now() < end && !signal.aborted) {
    const answer = await callTracker(settings, token).catch((thrown: unknown) => ({
      status: 0,
      text: String(thrown),
    }));
    if (isAnswered(answer)) return 'alice listed the tools of tracker';
    last = `${answer.status} ${answer.text.slice(0, 300)}`;
    await sleep(POLL_MS);
  }
  if (signal.aborted) return '';
  throw new Error(`the first call through the gateway does not work: ${last}`);
};
