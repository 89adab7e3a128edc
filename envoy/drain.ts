// Ends an Envoy without cutting calls short: it stops taking new ones, those that run may finish, and then it goes.

import { setTimeout as sleep } from 'node:timers/promises';
import { askAdmin } from '#envoy/ask-admin.ts';

const POLL_MS = 100;

/** Between two calls of one client nothing runs either: only what stays quiet for so long is over. */
const QUIET_MS = 500;

/** Calls and streams in progress, and manifests on their way in; 0 if Envoy says nothing of them. */
const activeRequests = async (adminPort: number): Promise<number> => {
  const text = await askAdmin(adminPort, '/stats?filter=^http\\.(gateway|publish)\\.downstream_rq_active$');
  return [...text.matchAll(/downstream_rq_active: (\d+)/g)].reduce((sum, [, open]) => sum + Number(open), 0);
};

/**
 * Fails Envoy's health check, so that a balancer in front of it sends new calls elsewhere, and makes every answer the last
 * of its connection. Connections are still taken. An Envoy that does not answer has nothing to tell.
 */
export const failHealth = async (adminPort: number): Promise<void> => {
  await askAdmin(adminPort, '/healthcheck/fail', 'POST').catch(() => undefined);
};

/**
 * Drains by Envoy's admin interface. Returns once nothing runs any more, or patience is over, or Envoy does not answer.
 * @returns how many calls and streams are still open
 */
export const drainEnvoy = async (adminPort: number, patienceMs: number): Promise<number> => {
  const deadline = performance.now() + patienceMs;
  let busyAt = performance.now();
  let open = 0;
  try {
    await askAdmin(adminPort, '/drain_listeners?graceful', 'POST');
    do {
      open = await activeRequests(adminPort);
      if (open > 0) busyAt = performance.now();
      await sleep(POLL_MS);
    } while (performance.now() < deadline && performance.now() - busyAt < QUIET_MS);
  } catch {
    // It has ended, or hangs: there is nothing to wait for.
  }
  return open;
};
