// A CheckRequest of any content, before a caller who is nobody: it ends in a refusal with a reason, whatever is in it, and
// never in a throw or an Allow. Envoy is ours, but what it carries is not. An input that is no JSON stands for the encoded
// message itself.

import fc from 'fast-check';
import { deny } from '#core/decision.ts';
import { err, ok } from '#core/result.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { type CheckParts, check } from '#ext-authz/check.ts';
import { requestFromCheckRequest } from '#ext-authz/request/from-check-request.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import { anyBytes, asJson, changed, demand, type Target } from '#test/fuzz/target.ts';
import { checkRequestBytes } from '#test/support/check-codec.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { SESSIONS } from '#test/support/session-world.ts';

const NOW_MS = 1_800_000_000_000;
const TENANT = sampleTenant('acme');

const PARTS: CheckParts = {
  world: () => ({ snapshot: { sequence: 1, tenants: [TENANT] }, freshAtMs: NOW_MS }),
  revocations: createRevocationBook(),
  authenticator: { authenticate: async () => err(deny('token_missing')) },
  policy: { judge: () => ({ ...ok({ obligations: {}, explain: [], lists: [] }), revision: 'fuzz' }) },
  broker: { acquire: async () => ok({ token: null, source: 'none' }), purge: async () => {} },
  askApproval: async () => err('nobody is asked'),
  sessions: SESSIONS,
  sink: { record: async () => {}, tell: () => {} },
  recordDeadlineMs: 1_000,
  publicUrl: 'https://gw.example',
  deadlineMs: 1_000,
  nowMs: () => NOW_MS,
  monotonicMs: () => 0,
};

const known = (...values: readonly string[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: fc.string() });

const headerName = known(
  ...[
    'content-type',
    'accept',
    'authorization',
    'mcp-session-id',
    'mcp-protocol-version',
    'mcp-method',
    'mcp-name',
  ],
  ...[
    'x-request-id',
    'content-length',
    'transfer-encoding',
    'host',
    'upgrade',
    'connection',
    'origin',
    'cookie',
  ],
  ...[
    'x-envoy-auth-partial-body',
    'last-event-id',
    'dpop',
    'Accept',
    '',
    ':path',
    'access-control-request-method',
  ],
);
const headerValue = known(
  ...[
    'application/json',
    'application/json, text/event-stream',
    'Bearer x',
    'DPoP x',
    '2025-11-25',
    '2026-07-28',
  ],
  ...[
    'tools/call',
    'true',
    '0',
    '-1',
    '99999999',
    'websocket',
    'Upgrade',
    'https://evil.example',
    'chunked',
    '',
    '\0',
  ],
);
const header = fc.record(
  { key: headerName, value: headerValue, raw: fc.option(headerValue) },
  { requiredKeys: [] },
);

/** As JSON carries it; bytes stand as text there. */
const content = fc.record(
  {
    method: known('POST', 'GET', 'DELETE', 'OPTIONS', 'PUT', 'CONNECT', 'post'),
    path: known(
      ...[
        '/t/acme/mcp/tracker',
        '/mcp/tracker',
        '/t/acme/mcp/tracker?access_token=x',
        '/t/none/mcp/tracker',
        '/',
        '',
      ],
      ...[
        '/.well-known/oauth-protected-resource/t/acme/mcp/tracker',
        '/t/acme/mcp/tracker/../..',
        '/%00',
        '*',
        '//',
      ],
    ),
    host: known('gw.example', 'gw.example:443', 'evil.example', '', '[::1]'),
    id: fc.string(),
    headers: fc.option(fc.array(header, { maxLength: 10 })),
    body: known(
      '',
      '{}',
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call"',
    ),
    certificate: known('', '%', '%E0%A4%A', '-----BEGIN%20CERTIFICATE-----', '%00'),
    address: known('', '192.0.2.1', '::1'),
    context: fc.option(
      fc.dictionary(
        known('tenant', 'server', 'document', '__proto__'),
        known('acme', 'tracker', 'other', ''),
      ),
    ),
    leaveOut: fc.constantFrom('', 'attributes', 'request', 'http', 'headers'),
  },
  { requiredKeys: [] },
);

type Content = typeof content extends fc.Arbitrary<infer T> ? T : never;
const httpOf = ({ method, path, host, id, headers, body, leaveOut }: Content): object => ({
  ...(method === undefined ? {} : { method }),
  ...(path === undefined ? {} : { path }),
  ...(host === undefined ? {} : { host }),
  ...(id === undefined ? {} : { id }),
  ...(body === undefined ? {} : { raw_body: Buffer.from(body) }),
  header_map:
    headers === null || headers === undefined || leaveOut === 'headers'
      ? null
      : {
          headers: headers.map(({ key, value, raw }) => ({
            ...(key === undefined ? {} : { key }),
            ...(value === undefined ? {} : { value }),
            ...(raw === undefined || raw === null ? {} : { raw_value: Buffer.from(raw) }),
          })),
        },
});

const messageOf = (content: Content): object => {
  const { certificate, address, context, leaveOut } = content;
  if (leaveOut === 'attributes') return { attributes: null };
  return {
    attributes: {
      source: {
        ...(certificate === undefined ? {} : { certificate }),
        address: address === undefined ? null : { socket_address: { address } },
      },
      request: leaveOut === 'request' ? null : { http: leaveOut === 'http' ? null : httpOf(content) },
      ...(context === undefined || context === null ? {} : { context_extensions: context }),
    },
  };
};

/** A message the converter takes becomes a call or a refusal that has a reason. */
const demandNamed = (message: Buffer): void => {
  let request: ReturnType<typeof requestFromCheckRequest>;
  try {
    request = requestFromCheckRequest(message);
  } catch {
    return;
  }
  const { result } = parseMcpCall(request, { maxBodyBytes: 65_536 });
  demand(
    result.ok || (result.error.kind === 'deny' && result.error.reason.length > 0),
    'a refusal without a reason',
  );
};

const encoded = (bytes: Buffer): Buffer => {
  try {
    return checkRequestBytes(messageOf(JSON.parse(bytes.toString('utf8')) as Content));
  } catch {
    return bytes;
  }
};

export const checkRequest: Target = {
  name: 'check-request',
  shortRuns: 2_000,
  inputs: (corpus) =>
    fc.oneof(
      { weight: 7, arbitrary: asJson(content) },
      {
        weight: 3,
        arbitrary: changed(corpus.map(encoded), ['\x0a', '\x12', '\x22', '\x7f', '\x00', '\x80\x80\x80']),
      },
      { weight: 1, arbitrary: anyBytes },
    ),
  holds: async (bytes) => {
    const message = encoded(bytes);
    demandNamed(message);
    const answer = await check(PARTS, message);
    demand(typeof answer.status?.code === 'number', 'an answer without a status');
    demand(answer.status.code !== 0 && !('ok_response' in answer), 'an Allow for nobody');
  },
};
