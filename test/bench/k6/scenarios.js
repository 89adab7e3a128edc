// What k6 does: four kinds of users at once, each with limits of its own. Written for k6, which knows no Node; run.ts hands
// it where to go, in variables, and the tokens, in a file.

import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';

const { MCPGW_PLAN, MCPGW_TOKENS } = __ENV;

/** As run.ts writes it: the endpoints, rates and limits of each scenario. */
const plan = JSON.parse(open(MCPGW_PLAN));

/** By scenario. Of the cold ones none has been seen by the gateway before. */
const tokens = JSON.parse(open(MCPGW_TOKENS));

const SCENARIOS = ['call', 'list', 'stream', 'cold'].filter((name) => plan.scenarios[name] !== undefined);

const paced = (name) => ({
  executor: 'constant-arrival-rate',
  exec: name,
  rate: plan.scenarios[name].rate,
  timeUnit: '1s',
  duration: plan.duration,
  preAllocatedVUs: 20,
  maxVUs: 200,
});

// Each of them calls once: a second call of the same user would no longer be cold.
const cold = () => ({
  executor: 'shared-iterations',
  exec: 'coldUser',
  vus: 1,
  iterations: tokens.cold.length,
  maxDuration: plan.duration,
});

/** A stream is as long as its tool makes it: what is held to a limit is the time to its first byte. */
const metricOf = (name) => (name === 'stream' ? 'http_req_waiting' : 'http_req_duration');

const thresholds = { checks: ['rate==1'] };
for (const name of SCENARIOS) {
  const { p50, p95, p99 } = plan.scenarios[name].limits;
  thresholds[`${metricOf(name)}{scenario:${name},step:told}`] = [`p(50)<${p50}`, `p(95)<${p95}`, `p(99)<${p99}`];
}

export const options = {
  scenarios: Object.fromEntries(SCENARIOS.map((name) => [name, name === 'cold' ? cold() : paced(name)])),
  thresholds,
  summaryTrendStats: ['min', 'p(50)', 'p(95)', 'p(99)', 'max'],
};

/** Revisions of MCP: the newest, which knows no sessions, and the last that does. */
const [STATELESS, WITH_SESSIONS] = ['2026-07-28', '2025-11-25'];
const CLIENT = { name: 'k6', version: '1' };
const META = {
  'io.modelcontextprotocol/protocolVersion': STATELESS,
  'io.modelcontextprotocol/clientInfo': CLIENT,
  'io.modelcontextprotocol/clientCapabilities': {},
};

const headersOf = (token, more) =>
  Object.assign(
    {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    more,
  );

const nextId = () => `${exec.vu.idInTest}-${exec.vu.iterationInScenario}`;

/** One request; only those that are `told` count for the limits. */
const post = (url, message, { headers, told }) =>
  http.post(url, JSON.stringify(Object.assign({ jsonrpc: '2.0' }, message)), {
    headers,
    tags: { step: told ? 'told' : 'before' },
  });

const expectResult = (answer) =>
  check(answer, {
    'answered with a result': ({ status, body }) => status === 200 && String(body).includes('"result"'),
  });

const askStateless = (url, token, { method, params = {} }) => {
  const named = params.name === undefined ? {} : { 'mcp-name': params.name };
  const version = { 'mcp-protocol-version': STATELESS, 'mcp-method': method };
  const headers = headersOf(token, Object.assign(version, named));
  const message = { id: nextId(), method, params: Object.assign({ _meta: META }, params) };
  expectResult(post(url, message, { headers, told: true }));
};

/** Of this virtual user, by URL: opened once, as a client does. */
const sessions = {};

const openSession = (url, token) => {
  const params = { protocolVersion: WITH_SESSIONS, capabilities: {}, clientInfo: CLIENT };
  const headers = headersOf(token, {});
  const answer = post(url, { id: 'open', method: 'initialize', params }, { headers, told: false });
  const session = {
    'mcp-protocol-version': WITH_SESSIONS,
    'mcp-session-id': answer.headers['Mcp-Session-Id'],
  };
  post(url, { method: 'notifications/initialized' }, { headers: headersOf(token, session), told: false });
  return session;
};

const askInSession = (url, token, { method, params = {} }) => {
  sessions[url] = sessions[url] || openSession(url, token);
  const headers = headersOf(token, sessions[url]);
  expectResult(post(url, { id: nextId(), method, params }, { headers, told: true }));
};

const ask = ({ url, session }, token, message) =>
  session ? askInSession(url, token, message) : askStateless(url, token, message);

const callOf = (name) => {
  const { tool, arguments: given } = plan.scenarios[name];
  return { method: 'tools/call', params: { name: tool, arguments: given } };
};

const askFor = (name, message) => ask(plan.scenarios[name], tokens[name][0], message);

export const call = () => askFor('call', callOf('call'));
export const list = () => askFor('list', { method: 'tools/list' });
export const stream = () => askFor('stream', callOf('stream'));
export const coldUser = () =>
  ask(plan.scenarios.cold, tokens.cold[exec.scenario.iterationInTest], callOf('cold'));
