// From a snapshot of the registry to what Envoys are told: addresses first, then one build, then everybody at once.
// The newest snapshot wins; nothing is built twice for changes that come together.

import type { Snapshot } from '#core/snapshot.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { EndpointAddresses } from '#xds-server/endpoint-addresses.ts';
import { createUrlLedger } from '#xds-server/endpoint-urls.ts';
import type { SnapshotBuilder, TenantFault } from '#xds-server/snapshot/builder.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import type { EndpointFacts, WeightOf } from '#xds-server/translate/endpoints.ts';

/** How long a change waits for names never resolved before: one tenant's slow name server must not hold up others. */
const FIRST_RESOLUTION_MS = 500;

export type Publisher = {
  /** There is a newer snapshot of the registry. */
  update(snapshot: Snapshot): void;
  /** Addresses or measured weights changed. */
  refresh(): void;
  /** What is known of replicas right now. */
  facts(): EndpointFacts;
  /** What was published last; undefined for nothing yet. */
  served(): ResourceSnapshot | undefined;
  /** Sequence that was published last; -1 for none. */
  publishedSequence(): number;
  /** Tenants that are served as they were, because their present state cannot be translated. */
  faults(): readonly TenantFault[];
};

/** A publisher; `addresses` is asked for lazily because it calls `refresh` itself. */
export const createPublisher = (options: {
  readonly build: SnapshotBuilder;
  readonly addresses: () => EndpointAddresses;
  readonly weightOf?: WeightOf;
  readonly publish: (snapshot: ResourceSnapshot) => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Publisher => {
  const { build, addresses, publish, logger } = options;
  const urls = createUrlLedger();
  // Another value whenever something of it changed: the builder asks anew only then.
  let facts: EndpointFacts = {
    addressesOf: (url) => addresses().find(url),
    ...(options.weightOf === undefined ? {} : { weightOf: options.weightOf }),
  };
  const duration = options.metrics.duration('xds_build_seconds', 'Time to translate one snapshot.');
  const faulty = options.metrics.gauge('xds_faulty_tenants', 'Tenants served in an earlier state.');
  let wanted: Snapshot | undefined;
  let resolving = 0;
  let deadline: NodeJS.Timeout | undefined;
  let scheduled = false;
  let served: ResourceSnapshot | undefined;
  let faults: readonly TenantFault[] = [];

  const publishNow = (): void => {
    if (wanted === undefined) return;
    clearTimeout(deadline);
    deadline = undefined;
    const stop = duration.startTimer();
    const built = build(wanted, facts);
    stop();
    ({ faults } = built);
    faulty.set(faults.length);
    for (const fault of faults) logger.error(fault, 'tenant not translated; last good kept');
    publish(built.snapshot);
    served = built.snapshot;
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (resolving === 0) publishNow();
    });
  };

  return {
    update: (snapshot) => {
      wanted = snapshot;
      resolving += 1;
      // Counted from the oldest change: one after another with names that are slow must not put it off for ever.
      deadline ??= setTimeout(publishNow, FIRST_RESOLUTION_MS).unref();
      void addresses()
        .want(urls.follow(snapshot), FIRST_RESOLUTION_MS)
        .finally(() => {
          resolving -= 1;
          schedule();
        });
    },
    refresh: () => {
      facts = { ...facts };
      schedule();
    },
    facts: () => facts,
    served: () => served,
    publishedSequence: () => served?.sequence ?? -1,
    faults: () => faults,
  };
};
