// Whom ext-authz takes a caller for, and what it does about those who are revoked: the parts of it, put together. No logic.

import { randomUUID } from 'node:crypto';
import { createAskGraph } from '#ext-authz/graph/ask-graph.ts';
import { createAuthenticator } from '#ext-authz/identity/authenticate.ts';
import { createGraphGroups } from '#ext-authz/identity/graph-groups.ts';
import { createGroupLookups } from '#ext-authz/identity/group-lookup.ts';
import { createIntrospector } from '#ext-authz/identity/introspection.ts';
import type { KeySets } from '#ext-authz/identity/key-sets.ts';
import { openReplayMemory } from '#ext-authz/identity/shared-dpop-replay.ts';
import { createGraphWatch } from '#ext-authz/revocation/graph-watch.ts';
import { reportingBroker } from '#ext-authz/revocation/report-refusals.ts';
import { watchCallers } from '#ext-authz/revocation/watch-callers.ts';
import type { ErrandTokens, TokenBroker } from '#ext-authz/token/broker.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import type { OpenedState } from '#runtime/shared-state/open.ts';

type CallersParts = Pick<Parameters<typeof createGraphWatch>[0], 'report' | 'openChannel'> & {
  readonly shared: OpenedState;
  readonly keySets: KeySets;
  readonly broker: TokenBroker & ErrandTokens;
  readonly secretsDirectory: string;
  readonly egress: EgressGuard;
  readonly logger: Logger;
  readonly metrics: Metrics;
};

const createAuthentication = (parts: CallersParts) => {
  const { keySets, broker, secretsDirectory, egress, metrics } = parts;
  const readSecret = createSecretStore(secretsDirectory).read;
  const introspector = createIntrospector({ fetch: egress.fetch, readSecret, metrics });
  const graph = createGraphGroups(createAskGraph(egress.fetch));
  const groups = createGroupLookups({ graph, broker, metrics });
  const replays = openReplayMemory(parts.shared, randomUUID());
  const authenticator = createAuthenticator({ keySets, introspector, replays, groups, metrics });
  return { authenticator, groups };
};

/**
 * @returns `judged`: what calls are judged by. `fed`: what follows the registry, and what forgets whoever is revoked.
 */
export const startCallers = (parts: CallersParts, lifecycle: Lifecycle) => {
  const { keySets, broker, report, logger } = parts;
  const directories = createGraphWatch({
    ...parts,
    shared: parts.shared.state,
    ask: createAskGraph(parts.egress.fetch),
    holder: randomUUID(),
    nowSeconds: () => Math.floor(Date.now() / 1_000),
  });
  lifecycle.onStop('watched directories', directories.stop);
  const { authenticator, groups } = createAuthentication(parts);
  return {
    judged: {
      authenticator: watchCallers(authenticator, directories),
      broker: reportingBroker(broker, { report, logger }),
    },
    fed: {
      keySets,
      directories,
      broker,
      forgetTokens: authenticator.forget,
      forgetGroups: groups.forget,
    },
  };
};
