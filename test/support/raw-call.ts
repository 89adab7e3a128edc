// MCP calls as bytes on the wire, for what no SDK would send.

export type RawAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON-RPC message of a JSON body or of the first SSE event that holds a response. */
  readonly message: {
    id?: unknown;
    result?: Record<string, unknown>;
    error?: { code: number; message: string; data: Record<string, unknown> };
  };
};

export const STATELESS_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

const parse = (text: string): RawAnswer['message'] | undefined => {
  try {
    return JSON.parse(text) as RawAnswer['message'];
  } catch {
    return undefined;
  }
};

const messageOf = (text: string): RawAnswer['message'] => {
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5));
  const messages = (data.length > 0 ? data : [text]).map(parse);
  return messages.find((message) => message?.result !== undefined || message?.error !== undefined) ?? {};
};

/** Sends a request as it is given; the answer is read to its end. */
export const send = async (url: string, request: RequestInit): Promise<RawAnswer> => {
  const response = await fetch(url, { redirect: 'manual', ...request });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, message: messageOf(text) };
};

/** Headers and body of a well-formed stateless request. */
export const statelessRequest = (
  method: string,
  params: Record<string, unknown> = {},
  options: { token?: string; id?: string | number; headers?: Record<string, string> } = {},
): { method: 'POST'; headers: Record<string, string>; body: string } => {
  const name = params['name'] ?? params['uri'];
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: options.id ?? 'e2e-1',
      method,
      params: { ...params, _meta: STATELESS_META },
    }),
  };
};

/** A well-formed stateless call of one tool. */
export const callTool = (
  url: string,
  token: string,
  call: { name: string; arguments?: Record<string, unknown>; id?: string | number },
): Promise<RawAnswer> =>
  send(
    url,
    statelessRequest(
      'tools/call',
      { name: call.name, arguments: call.arguments ?? {} },
      { token, ...(call.id === undefined ? {} : { id: call.id }) },
    ),
  );
