// One new version of a server, from the two calls of the API that bring it into service to the first call that reaches it
// through Envoy. For `npm run bench:xds` and for the rows of `npm run bench`.

import { setTimeout as sleep } from 'node:timers/promises';
import { activateVersion, callUntil, publishVersion } from '#test/support/new-route.ts';
import type { ScaleWorld, Surroundings } from '#test/support/scale-world.ts';

/** Milliseconds from a call of the API to traffic, and what both calls took of that. */
export type NewVersionTimes = {
  readonly published: number;
  readonly activated: number;
  readonly api: number;
};

/**
 * @param round names the version, and chooses the server: another tenant's each time.
 * @param settleMs between both calls, milliseconds: what the publication causes is over then. It counts in `published`.
 */
export const timeNewVersion = async (
  world: ScaleWorld,
  surroundings: Surroundings,
  { round, settleMs = 0 }: { readonly round: number; readonly settleMs?: number },
): Promise<NewVersionTimes> => {
  const tenant = world.tenants[round % world.tenants.length];
  const server = tenant?.servers[round % tenant.servers.length];
  if (tenant === undefined || server === undefined) throw new Error('there is one');
  const [adminToken, token] = [await surroundings.adminToken(), await surroundings.callerToken(server.id)];
  const url = `${world.gateway}/t/${tenant.id}/mcp/${server.id}`;
  const place = { api: `${world.registry}/v1/tenants/${tenant.id}/servers/${server.id}`, token: adminToken };
  await callUntil(url, token, '/v/');
  const publishedAt = performance.now();
  const version = await publishVersion(place, server, {
    name: `2.0.${round}`,
    host: surroundings.upstreamHost,
  });
  await sleep(settleMs);
  const activatedAt = performance.now();
  await activateVersion(place, version);
  const answeredAt = performance.now();
  await callUntil(url, token, version.path);
  const calledAt = performance.now();
  return {
    published: calledAt - publishedAt,
    activated: calledAt - activatedAt,
    api: answeredAt - publishedAt,
  };
};
