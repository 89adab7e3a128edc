// From a snapshot of the registry to what Envoys are told: addresses and secrets first, then one build, then everybody
// at once. The newest snapshot wins; nothing is built twice for changes that come together.

import type { Snapshot } from '#core/snapshot.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { PaceOf } from '#xds-server/adaptive/pace-of.ts';
import type { EndpointAddresses } from '#xds-server/endpoint-addresses.ts';
import { createUrlLedger } from '#xds-server/endpoint-urls.ts';
import type { UpstreamSecrets } from '#xds-server/secrets/upstream-secrets.ts';
import type { SnapshotBuilder, TenantFault } from '#xds-server/snapshot/builder.ts';
import type { Facts } from '#xds-server/snapshot/facts.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import type { WeightOf } from '#xds-server/translate/endpoints.ts';

/** How long a change waits for names never resolved before: one tenant's slow name server must not hold up others. */
const FIRST_RESOLUTION_MS = 500;

export type Publisher = {
  /** There is a newer snapshot of the registry. */
  update(snapshot: Snapshot): void;
  /** Addresses, measured weights, paces or secrets changed. */
  refresh(): void;
  /** What is known right now beside the registry's word. */
  facts(): Facts;
  /** What was published last; undefined for nothing yet. */
  served(): ResourceSnapshot | undefined;
  /** Sequence that was published last; -1 for none. */
  publishedSequence(): number;
  /** Tenants that are served as they were, because their present state cannot be translated. */
  faults(): readonly TenantFault[];
};

/** Asked for lazily, because what they are sources of calls `refresh` itself. */
type Sources = {
  readonly addresses: () => EndpointAddresses;
  readonly weightOf?: WeightOf;
  /** Absent: servers have no secrets. */
  readonly secrets?: () => UpstreamSecrets;
  /** Absent: adaptive servers stand where they begin. */
  readonly paceOf?: PaceOf;
};

const factsFrom = ({ addresses, weightOf, secrets, paceOf }: Sources): Facts => ({
  addressesOf: (url) => addresses().find(url),
  ...(weightOf === undefined ? {} : { weightOf }),
  ...(secrets === undefined ? {} : { materialOf: (ref) => secrets().find(ref) }),
  ...(paceOf === undefined ? {} : { paceOf }),
});

/** A publisher of what `build` makes of the newest snapshot and the sources. */
export const createPublisher = (
  options: Sources & {
    readonly build: SnapshotBuilder;
    readonly publish: (snapshot: ResourceSnapshot) => void;
    readonly logger: Logger;
    readonly metrics: Metrics;
  },
): Publisher => {
  const { build, addresses, secrets, publish, logger } = options;
  const urls = createUrlLedger();
  // Another value whenever something of it changed: the builder asks anew only then.
  let facts = factsFrom(options);
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
      const known = [
        addresses().want(urls.follow(snapshot), FIRST_RESOLUTION_MS),
        secrets?.().want(snapshot),
      ];
      void Promise.all(known).finally(() => {
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
