// Ends an Envoy without cutting calls short: it stops taking new ones, those that run may finish, and then it goes.

import { setTimeout as sleep } from 'node:timers/promises';

/** Streams may live for hours; this is how long they are waited for. */
const PATIENCE_MS = 5_000;
const POLL_MS = 100;
const ADMIN_TIMEOUT_MS = 1_000;

const ask = (adminPort: number, path: string, method: 'GET' | 'POST'): Promise<string> =>
  fetch(`http://127.0.0.1:${adminPort}${path}`, {
    method,
    signal: AbortSignal.timeout(ADMIN_TIMEOUT_MS),
  }).then((response) => response.text());

/** Calls and streams in progress; 0 if Envoy says nothing of them. */
const activeRequests = async (adminPort: number): Promise<number> => {
  const text = await ask(adminPort, '/stats?filter=^http\\.gateway\\.downstream_rq_active$', 'GET');
  return Number(/downstream_rq_active: (\d+)/.exec(text)?.[1] ?? 0);
};

/**
 * Drains by Envoy's admin interface. Returns once nothing runs any more, or patience is over, or Envoy does not answer.
 */
export const drainEnvoy = async (adminPort: number): Promise<void> => {
  const deadline = Date.now() + PATIENCE_MS;
  try {
    // Health checks fail first, so that a balancer in front of us sends new calls elsewhere.
    await ask(adminPort, '/healthcheck/fail', 'POST');
    await ask(adminPort, '/drain_listeners?graceful', 'POST');
    while (Date.now() < deadline && (await activeRequests(adminPort)) > 0) await sleep(POLL_MS);
  } catch {
    // An Envoy that does not answer has nothing left to drain.
  }
};
