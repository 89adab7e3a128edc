// The Rust crate mcp-proxy as a peer: a gateway of one process that parses MCP itself. With JWT it verifies every token by
// the issuer's key set and looks the tool up in the caller's role; without, it only passes on. Its audit is off, so what is
// told of it favours it. It is built by `provision/run.mjs --with mcp-proxy` when a row first asks for it.
// Of a token it demands two audiences (as of 0.4.3): the one it is configured with, and its own URL as it makes it up from
// where it listens, which nobody can configure. So its port has to be known before tokens are signed.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HttpRequestLine, Peer } from '#test/bench/peers/peers.ts';
import { ROOT } from '#test/support/product-process.ts';

/** Name of the server behind it, which it puts before every tool's name. */
const BACKEND = 'api';

/** Many times what it takes to read the tools of the server behind it. */
const START_MS = 20_000;
const POLL_MS = 50;

export type McpProxyOptions = {
  /** Where the configuration is written. */
  readonly directory: string;
  /** Where it listens on loopback. */
  readonly port: number;
  /** URL of the MCP server behind it. */
  readonly upstream: string;
  /** Absent: everybody may do everything. */
  readonly jwt?: {
    readonly issuer: string;
    readonly audience: string;
    readonly jwksUri: string;
    /** Claim of the tokens that names the caller's role: one text. */
    readonly claim: string;
    /** The tools that whoever has a role may use. */
    readonly roles: Readonly<Record<string, readonly string[]>>;
  };
};

const namespaced = (tool: string): string => `${BACKEND}/${tool}`;

/** TOML takes JSON's strings and lists of them as they are. */
const quoted = (value: string | readonly string[]): string => JSON.stringify(value);

const roleSection = ([name, tools]: readonly [string, readonly string[]]): string => `
[[auth.roles]]
name = ${quoted(name)}
allow_tools = ${quoted(tools.map(namespaced))}
`;

const authSection = ({ issuer, audience, jwksUri, claim, roles }: NonNullable<McpProxyOptions['jwt']>) => `
[auth]
type = "jwt"
issuer = ${quoted(issuer)}
audience = ${quoted(audience)}
jwks_uri = ${quoted(jwksUri)}
${Object.entries(roles).map(roleSection).join('')}
[auth.role_mapping]
claim = ${quoted(claim)}
default_deny = true

[auth.role_mapping.mapping]
${Object.keys(roles)
  .map((name) => `${quoted(name)} = ${quoted(name)}`)
  .join('\n')}

[security]
admin_token = "nobody-administers-a-bench"
`;

const configuration = ({ port, upstream, jwt }: McpProxyOptions): string => `
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

/** What it takes for its own URL, and so demands among a token's audiences. */
export const mcpProxyResource = (port: number): string => `http://127.0.0.1:${port}`;

const answers = async (url: string): Promise<boolean> => {
  try {
    // Whatever it says to that, it serves.
    await fetch(url, { method: 'POST', body: '{}' });
    return true;
  } catch {
    return false;
  }
};

/** Cargo builds it for minutes or, on a busy machine, for an hour: rows without it do not wait for that. */
const findBinary = (): string => {
  const given = process.env['MCP_PROXY_BIN'];
  if (given !== undefined) return given;
  const told = spawnSync(
    process.execPath,
    ['provision/run.mjs', '--with', 'mcp-proxy', '--', 'test/bench/peers/tell-mcp-proxy.ts'],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' },
  );
  const binary = told.stdout.trim().split('\n').at(-1);
  if (told.status !== 0 || binary === undefined) throw new Error('mcp-proxy could not be built');
  return binary;
};

/** Starts it and waits until it serves. @returns the peer, and the origin its MCP endpoint is the root of. */
export const startMcpProxy = async (options: McpProxyOptions): Promise<Peer & { readonly url: string }> => {
  const { port } = options;
  const binary = findBinary();
  const file = join(options.directory, `mcp-proxy-${port}.toml`);
  await writeFile(file, configuration(options), { mode: 0o600 });
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
  const url = mcpProxyResource(port);
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
