// The one door to the network for every URL a tenant, a manifest or an identity provider gave us. What is vetted is
// what is dialled: the check runs inside the connection's own name lookup, so no second answer of DNS (rebinding) can
// come between. Knows nothing of what is fetched. No HTTP proxy is used, whatever the environment says.

import { Agent, type Dispatcher } from 'undici';
import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type HostLookup, resolveVetted, systemLookup, vettedLookup } from '#runtime/egress-resolve.ts';
import { type EgressRules, effectivePort, judgeUrl, socketHost } from '#runtime/egress-url.ts';

export type EgressRequest = {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything: lookup, connection, headers and body. */
  readonly timeoutMs: number;
  /** Longest answer that is read. */
  readonly maxBytes: number;
};

export type EgressResponse = { readonly status: number; readonly headers: Headers; readonly body: string };

export type EgressGuard = {
  /** Judges a URL as text, for registration. The error is a sentence that repeats nothing of the URL. */
  checkUrl(url: string): Result<URL, string>;
  /** Judges a URL and every address its host has now. For whoever dials by address, and dials nothing else. */
  resolve(
    url: string,
  ): Promise<Result<{ readonly addresses: readonly string[]; readonly port: number }, string>>;
  /**
   * One request, answered by a vetted address or not at all. Redirects are refused, compression is not offered.
   * Any status but 3xx is an answer.
   * @throws GatewayError `egress_refused` where the rules forbid it, `provider_failed` where the other side fails.
   */
  fetch(url: string, init: EgressRequest): Promise<EgressResponse>;
};

/** Open connections to one origin; an identity provider answers hundreds of requests a second through fewer. */
const MAX_CONNECTIONS = 32;

const readBody = async (response: Dispatcher.ResponseData, maxBytes: number): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes)
      throw new GatewayError('provider_failed', `the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const headersOf = (response: Dispatcher.ResponseData): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.headers)) {
    for (const item of [value ?? []].flat()) headers.append(name, item);
  }
  return headers;
};

const judgeHead = (response: Dispatcher.ResponseData, headers: Headers): void => {
  const { statusCode } = response;
  if (statusCode >= 300 && statusCode < 400)
    throw new GatewayError('egress_refused', 'the answer is a redirect, which is not followed');
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    throw new GatewayError('provider_failed', 'the answer is compressed, which was not asked for');
};

const exchange = async (agent: Agent, url: URL, init: EgressRequest): Promise<EgressResponse> => {
  const response = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: init.method ?? 'GET',
    headers: { 'user-agent': 'mcp-security-gateway', ...init.headers, 'accept-encoding': 'identity' },
    body: init.body ?? null,
    signal: AbortSignal.timeout(init.timeoutMs),
  });
  try {
    const headers = headersOf(response);
    judgeHead(response, headers);
    return { status: response.statusCode, headers, body: await readBody(response, init.maxBytes) };
  } finally {
    response.body.on('error', () => undefined).destroy();
  }
};

// Of what went wrong only the kind is told: a library's message may hold the URL, its query and with it a secret.
const describeFailure = (thrown: unknown): GatewayError => {
  if (thrown instanceof GatewayError) return thrown;
  const { name, code } = thrown as { name?: unknown; code?: unknown };
  const kind = name === 'TimeoutError' ? 'timed out' : `failed (${String(code ?? name ?? 'unknown')})`;
  return new GatewayError('provider_failed', `the request ${kind}`);
};

/**
 * The guard of one process.
 * @param options.lookup for tests; the system's resolver otherwise.
 */
export const createEgressGuard = (options: EgressRules & { readonly lookup?: HostLookup }): EgressGuard => {
  const lookup = options.lookup ?? systemLookup;
  const agent = new Agent({
    connections: MAX_CONNECTIONS,
    allowH2: false,
    connect: { lookup: vettedLookup(options, lookup) },
  });
  const checkUrl = (url: string): Result<URL, string> => judgeUrl(url, options);
  return {
    checkUrl,
    resolve: async (url) => {
      const judged = checkUrl(url);
      if (!judged.ok) return judged;
      const resolved = await resolveVetted(socketHost(judged.value), options, lookup);
      if (!resolved.ok) return err(resolved.error.message);
      return ok({ addresses: resolved.value, port: effectivePort(judged.value) });
    },
    fetch: async (url, init) => {
      const judged = checkUrl(url);
      if (!judged.ok) throw new GatewayError('egress_refused', judged.error);
      try {
        return await exchange(agent, judged.value, init);
      } catch (thrown) {
        throw describeFailure(thrown);
      }
    },
  };
};
