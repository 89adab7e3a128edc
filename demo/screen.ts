// What `npm start` says: a line per step, and one screen at the end that a newcomer can paste from. Text only.

import { relative } from 'node:path';
import { buildQuickstart } from '#demo/supervisor/quickstart.ts';
import type { DemoSettings } from '#demo/supervisor/settings.ts';

const META =
  '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';

/** One call of a tool of the tracker, as a line for any shell. */
const curlLine = (url: string, user: string, tool: string, toolArguments: object): string =>
  [
    `curl -sS ${url} -H "authorization: Bearer $(npm run -s token -- ${user})"`,
    "  -H 'content-type: application/json' -H 'accept: application/json, text/event-stream'",
    `  -H 'mcp-protocol-version: 2026-07-28' -H 'mcp-method: tools/call' -H 'mcp-name: ${tool}'`,
    `  -d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${JSON.stringify(toolArguments)},"_meta":${META}}}'`,
  ].join(' \\\n    ');

const clientConfiguration = (url: string): string =>
  JSON.stringify(
    { mcpServers: { tracker: { type: 'http', url, headers: { Authorization: 'Bearer <token>' } } } },
    null,
    2,
  ).replaceAll('\n', '\n    ');

/** Relative where it lies inside the checkout. */
const shorten = (path: string): string => {
  const inside = relative(process.cwd(), path);
  return inside === '' || inside.startsWith('..') ? path : inside;
};

/** The screen under the `ready` line. */
export const readyScreen = (settings: DemoSettings, tookMs: number): string => {
  const { gateway, registry, envoyAdmin, issuer } = buildQuickstart(settings);
  const tracker = `${gateway}/mcp/tracker`;
  const written = shorten(settings.localDirectory);
  return `
ready in ${(tookMs / 1000).toFixed(1)} s

  MCP servers   ${tracker}   ${gateway}/mcp/reports
  registry      ${registry}/openapi.json
  issuer        ${issuer}
  Envoy admin   ${envoyAdmin}
  sockets       ${settings.runtimeDirectory}

  alice  engineering, on call   every tool of tracker and reports
  bob    support                tracker, but not close_issue; no critical issues
  olga   support, 251 groups    as bob; her groups are asked of the directory
  paula  auditor of a partner   tracker: list_issues, whoami

  Paste these in a second terminal, in this folder.

  Allowed: alice opens an issue.
    ${curlLine(tracker, 'alice', 'create_issue', { title: 'The door squeaks', priority: 'critical' })}

  Denied: bob may not close one.
    ${curlLine(tracker, 'bob', 'close_issue', { id: 2 })}

  Your own MCP client (token: npm run -s token -- alice):
    ${clientConfiguration(tracker)}

  Logs: ${written}/logs    Everything written: ${written}    Stop: Ctrl-C
`;
};

/** The line of one step. */
export const stepLine = (name: string, detail: string, tookMs: number): string =>
  `ok    ${name.padEnd(24)} ${detail === '' ? '' : `${detail}, `}${(tookMs / 1000).toFixed(1)} s`;

export const crashLine = (name: string, how: string, waitMs: number): string =>
  `${name} ended (${how}); starting it again in ${(waitMs / 1000).toFixed(2)} s`;
