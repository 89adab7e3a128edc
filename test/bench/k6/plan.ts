// What k6 is told: which endpoints, how often, and within what limits. By default the running demo, else the installation
// that the variables name (test/bench/k6/README.md).

import { readFile } from 'node:fs/promises';
import type { JsonObject } from '#core/json.ts';
import type { Quickstart } from '#demo/supervisor/quickstart.ts';

export const SCENARIOS = ['call', 'list', 'stream', 'cold'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** Milliseconds. */
type Limits = { readonly p50: number; readonly p95: number; readonly p99: number };

type Endpoint = {
  readonly url: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  /** True: the server speaks MCP 2025-11-25, with sessions; absent: 2026-07-28, without. */
  readonly session?: boolean;
};

export type Scenario = Endpoint & {
  /** Calls a second. */
  readonly rate: number;
  readonly limits: Limits;
};

/** How the tokens of one scenario are got: by a shell command that prints one, or out of a file with one a line. */
export type TokenSource = { readonly command: string } | { readonly file: string };

export type K6Plan = {
  readonly duration: string;
  readonly scenarios: Readonly<Partial<Record<ScenarioName, Scenario>>>;
};

export type K6Run = {
  readonly plan: K6Plan;
  readonly tokens: Readonly<Partial<Record<ScenarioName, TokenSource>>>;
  /** Callers the gateway has not seen. */
  readonly coldUsers: number;
};

/**
 * Upper bounds on any machine that is not overloaded, with a server behind the gateway that takes a few milliseconds: they
 * tell that something is wrong, not how fast it is. Whoever knows his installation sets his own.
 */
const LIMITS: Readonly<Record<ScenarioName, Limits>> = {
  call: { p50: 100, p95: 300, p99: 1_000 },
  list: { p50: 100, p95: 300, p99: 1_000 },
  // To the first byte of the answer.
  stream: { p50: 200, p95: 500, p99: 1_500 },
  // The token is verified, keys may be fetched, and another is got for the server.
  cold: { p50: 300, p95: 1_000, p99: 3_000 },
};

const RATES: Readonly<Record<ScenarioName, number>> = { call: 20, list: 5, stream: 1, cold: 1 };

const textOf = (env: NodeJS.ProcessEnv, name: string): string | undefined =>
  env[name] === undefined || env[name] === '' ? undefined : env[name];

const numberOf = (env: NodeJS.ProcessEnv, name: string, otherwise: number): number => {
  const value = Number(textOf(env, name) ?? otherwise);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${name} is a number above 0`);
  return value;
};

/** `K6_CALL_P50_MS` and so on, and `K6_CALL_RATE`. */
const scenarioOf = (env: NodeJS.ProcessEnv, name: ScenarioName, at: Endpoint): Scenario => {
  const prefix = `K6_${name.toUpperCase()}`;
  const { p50, p95, p99 } = LIMITS[name];
  return {
    ...at,
    rate: numberOf(env, `${prefix}_RATE`, RATES[name]),
    limits: {
      p50: numberOf(env, `${prefix}_P50_MS`, p50),
      p95: numberOf(env, `${prefix}_P95_MS`, p95),
      p99: numberOf(env, `${prefix}_P99_MS`, p99),
    },
  };
};

const argumentsOf = (env: NodeJS.ProcessEnv, name: string): JsonObject => {
  try {
    return JSON.parse(textOf(env, name) ?? '{}') as JsonObject;
  } catch {
    throw new Error(`${name} is no JSON`);
  }
};

const COLD_USERS = 20;

const runOf = (
  env: NodeJS.ProcessEnv,
  endpoints: Readonly<Partial<Record<ScenarioName, Endpoint>>>,
  tokens: K6Run['tokens'],
): K6Run => ({
  plan: {
    duration: textOf(env, 'K6_TIME') ?? '20s',
    scenarios: Object.fromEntries(
      Object.entries(endpoints).map(([name, at]) => [name, scenarioOf(env, name as ScenarioName, at)]),
    ),
  },
  tokens,
  coldUsers: numberOf(env, 'K6_COLD_USERS', COLD_USERS),
});

const ownInstallation = (env: NodeJS.ProcessEnv, url: string): K6Run => {
  const [command, file] = [textOf(env, 'K6_TOKEN_COMMAND'), textOf(env, 'K6_TOKEN_FILE')];
  const tool = textOf(env, 'K6_TOOL');
  if (tool === undefined) throw new Error('K6_TOOL names the tool that is called at K6_URL');
  const source = command === undefined ? file && { file } : { command };
  if (source === undefined || source === '') throw new Error('K6_TOKEN_COMMAND or K6_TOKEN_FILE is needed');
  const session = textOf(env, 'K6_SESSION') === 'true';
  const called = { url, tool, arguments: argumentsOf(env, 'K6_ARGUMENTS'), session };
  const streaming = textOf(env, 'K6_STREAM_TOOL');
  const streamed = streaming && {
    stream: { url, tool: streaming, arguments: argumentsOf(env, 'K6_STREAM_ARGUMENTS'), session },
  };
  const endpoints = { call: called, list: called, cold: called, ...(streamed || {}) };
  return runOf(env, endpoints, Object.fromEntries(Object.keys(endpoints).map((name) => [name, source])));
};

const demo = async (env: NodeJS.ProcessEnv, quickstartFile: string): Promise<K6Run> => {
  const text = await readFile(quickstartFile, 'utf8').catch(() => {
    throw new Error(`${quickstartFile} is not there: run npm start, or name your installation in K6_URL`);
  });
  const { gateway, issuer } = JSON.parse(text) as Quickstart;
  const tokenOf = (user: string, server: string): TokenSource => ({
    command: `DEMO_IDP_PORT=${new URL(issuer).port} npm run -s token -- ${user} --server ${server}`,
  });
  const issues = { url: `${gateway}/mcp/tracker`, tool: 'list_issues', arguments: { limit: 5 } };
  const report = {
    url: `${gateway}/mcp/reports`,
    tool: 'build_report',
    arguments: { title: 'k6', stepMs: 100 },
    session: true,
  };
  const alice = tokenOf('alice', 'tracker');
  const tokens = { call: alice, list: alice, cold: alice, stream: tokenOf('alice', 'reports') };
  return runOf(env, { call: issues, list: issues, cold: issues, stream: report }, tokens);
};

/** @throws an Error of one line that says what is missing. */
export const readRun = (env: NodeJS.ProcessEnv, quickstartFile: string): Promise<K6Run> | K6Run => {
  const url = textOf(env, 'K6_URL');
  return url === undefined ? demo(env, quickstartFile) : ownInstallation(env, url);
};
