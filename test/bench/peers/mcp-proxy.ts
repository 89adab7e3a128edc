// The Rust crate mcp-proxy as a peer: a gateway of one process that parses MCP itself. With JWT it verifies every token by
// the issuer's key set and looks the tool up in the caller's role; without, it only passes on. Its audit is off, so what is
// told of it favours it. It is built by `provision/run.mjs --with mcp-proxy`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HttpRequestLine, Peer } from '#test/bench/peers/peers.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

/** Name of the server behind it, which it puts before every tool's name. */
const BACKEND = 'api';

/** Many times what it takes to read the tools of the server behind it. */
const START_MS = 20_000;
const POLL_MS = 50;

export type McpProxyOptions = {
  /** Where the configuration is written. */
  readonly directory: string;
  /** URL of the MCP server behind it. */
  readonly upstream: string;
  /** Absent: everybody may do everything. */
  readonly jwt?: {
    readonly issuer: string;
    readonly audience: string;
    readonly jwksUri: string;
    /** A scope of the tokens, and the tools that whoever holds it may use. */
    readonly scope: string;
    readonly tools: readonly string[];
  };
};

const namespaced = (tool: string): string => `${BACKEND}/${tool}`;

/** TOML takes JSON's strings and lists of them as they are. */
const quoted = (value: string | readonly string[]): string => JSON.stringify(value);

const authSection = ({ issuer, audience, jwksUri, scope, tools }: NonNullable<McpProxyOptions['jwt']>) => `
[auth]
type = "jwt"
issuer = ${quoted(issuer)}
audience = ${quoted(audience)}
jwks_uri = ${quoted(jwksUri)}

[[auth.roles]]
name = "caller"
allow_tools = ${quoted(tools.map(namespaced))}

[auth.role_mapping]
claim = "scope"
mapping = { ${quoted(scope)} = "caller" }
default_deny = true

[security]
admin_token = "nobody-administers-a-bench"
`;

const configuration = ({ upstream, jwt }: McpProxyOptions, port: number): string => `
[proxy]
name = "peer"

[proxy.listen]
host = "127.0.0.1"
port = ${port}

[[backends]]
name = "${BACKEND}"
transport = "http"
url = ${quoted(upstream)}
${jwt === undefined ? '' : authSection(jwt)}
[observability]
audit = false
log_level = "error"
`;

const answers = async (url: string): Promise<boolean> => {
  try {
    // Whatever it says to that, it serves.
    await fetch(url, { method: 'POST', body: '{}' });
    return true;
  } catch {
    return false;
  }
};

/** Starts it and waits until it serves. @returns the peer, and the URL its MCP endpoint is at. */
export const startMcpProxy = async (options: McpProxyOptions): Promise<Peer & { readonly url: string }> => {
  const binary = process.env['MCP_PROXY_BIN'];
  if (binary === undefined)
    throw new Error('mcp-proxy is not built: start this by node provision/run.mjs --with mcp-proxy');
  const [port = 0] = await findFreePorts(1);
  const file = join(options.directory, `mcp-proxy-${port}.toml`);
  await writeFile(file, configuration(options, port), { mode: 0o600 });
  const child = spawn(binary, ['--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const url = `http://127.0.0.1:${port}/`;
  const deadline = Date.now() + START_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`mcp-proxy does not start: ${said.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return { pid: child.pid ?? 0, url, stop };
};

const forMcpProxy = (line: HttpRequestLine): HttpRequestLine => {
  const message = JSON.parse(line.body) as { params?: { name?: string } };
  const { name } = message.params ?? {};
  if (name === undefined) return { ...line, path: '/' };
  return {
    ...line,
    path: '/',
    body: JSON.stringify({ ...message, params: { ...message.params, name: namespaced(name) } }),
  };
};

/** Writes the requests of `from`, a file for `load http`, as they are put to mcp-proxy. */
export const writeMcpProxyRequests = async (from: string, to: string): Promise<void> => {
  const lines = (await readFile(from, 'utf8')).trim().split('\n');
  const rewritten = lines.map((line) => JSON.stringify(forMcpProxy(JSON.parse(line) as HttpRequestLine)));
  await writeFile(to, `${rewritten.join('\n')}\n`);
};
