// The receiver of signals as part of the registry's process: its keys, its metrics, its listener.

import { randomUUID } from 'node:crypto';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import type { RecordRevocation } from '#registry/record-revocation.ts';
import { createRemoteKeys, guardedFetch } from '#registry/remote-keys.ts';
import { presentChannels } from '#registry/signals/channel-states.ts';
import { createSignalReceiver } from '#registry/signals/receiver.ts';
import { createSignalMetrics } from '#registry/signals/signal-metrics.ts';
import { createTransmitterKeys } from '#registry/signals/transmitter-keys.ts';
import type { Store } from '#registry/store/store.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import { bindPort, drainHttp } from '#runtime/http-listener.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import { lookAgain } from '#runtime/look-again.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { createSecretStore } from '#runtime/secret-files.ts';

export type ReceiverOptions = {
  readonly store: Store;
  readonly keys: AuditKeys;
  readonly record: RecordRevocation;
  readonly egress: EgressGuard;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly secretsDirectory: string;
  readonly signalsHost: string;
  readonly signalsPort: number;
  /** Where providers reach it. */
  readonly signalsPublicUrl: string;
};

/** How often the metrics of channels are read anew, milliseconds: any registry of a database may have heard of one. */
const SHOW_CHANNELS_MS = 15_000;

/** Listens until the process ends. */
export const startSignalReceiver = async (options: ReceiverOptions, lifecycle: Lifecycle): Promise<void> => {
  const { store, logger } = options;
  const metrics = createSignalMetrics(options.metrics);
  const fetchKeys = guardedFetch(options.egress);
  const transmitters = createTransmitterKeys((address) =>
    createRemoteKeys({ ...address, logger, fetchKeys }),
  );
  lifecycle.onStop('keys of transmitters', () => transmitters.stop());
  const receiver = await createSignalReceiver({
    ...metrics,
    store,
    keys: options.keys,
    record: options.record,
    logger,
    publicUrl: options.signalsPublicUrl,
    keysOf: transmitters.keysOf,
    secrets: createSecretStore(options.secretsDirectory),
    nowMs: Date.now,
    newId: randomUUID,
  });
  drainHttp(lifecycle, 'signals', { server: receiver.server, close: () => receiver.close() });
  const place = { host: options.signalsHost, port: options.signalsPort };
  await bindPort(place, (bound) => receiver.listen(bound));
  const show = (): Promise<void> => presentChannels(store).then(metrics.onStates, () => undefined);
  await show();
  lifecycle.onStop('signal metrics', lookAgain(show, SHOW_CHANNELS_MS));
};
