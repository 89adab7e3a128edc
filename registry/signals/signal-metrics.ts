// What operators see of signals: how deliveries and events ended, and when each channel was last heard of.

import type { SignalStreams } from '#registry/signals/channel-states.ts';
import type { EventOutcome } from '#registry/signals/take-events.ts';
import type { NotificationOutcome } from '#registry/signals/take-notifications.ts';
import type { SignalChannelName } from '#registry/store/signal.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type SignalMetrics = {
  onDelivery(channel: SignalChannelName, outcome: string): void;
  onEvent(outcome: EventOutcome): void;
  onNotification(outcome: NotificationOutcome): void;
  /** Replaces what is shown of the channels. */
  onStates(states: SignalStreams): void;
};

export const createSignalMetrics = (metrics: Metrics): SignalMetrics => {
  const deliveries = metrics.counter('signal_deliveries_total', 'Requests to the receiver of signals.', [
    'channel',
    'outcome',
  ]);
  const events = metrics.counter('signal_events_total', 'Events of Shared Signals.', ['outcome']);
  const notifications = metrics.counter('signal_notifications_total', 'Notifications of Graph.', ['outcome']);
  const heard = metrics.gauge(
    'signal_heard_timestamp_seconds',
    'When something true last came by a channel; its age is time() minus this.',
    ['tenant', 'issuer', 'channel'],
  );
  const enabled = metrics.gauge(
    'signal_stream_enabled',
    '0 where a transmitter said that it sends nothing more.',
    ['tenant', 'issuer'],
  );
  return {
    onDelivery: (channel, outcome) => deliveries.inc({ channel, outcome }),
    onEvent: (outcome) => events.inc({ outcome }),
    onNotification: (outcome) => notifications.inc({ outcome }),
    onStates: (states) => {
      heard.reset();
      enabled.reset();
      for (const { tenantId: tenant, issuerId: issuer, channel, heardAtMs, streamStatus } of states) {
        heard.set({ tenant, issuer, channel }, heardAtMs / 1_000);
        if (streamStatus !== undefined) enabled.set({ tenant, issuer }, streamStatus === 'enabled' ? 1 : 0);
      }
    },
  };
};
