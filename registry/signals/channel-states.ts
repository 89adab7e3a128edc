// What is known of the channels that issuers have now. Rows of channels that are gone stay in the database and are not shown.

import type { TrustedIssuer } from '#core/issuer.ts';
import { findEnabledIssuer } from '#registry/signals/find-channel.ts';
import type { SignalChannelName, SignalChannelState } from '#registry/store/signal.ts';
import type { Store } from '#registry/store/store.ts';

export type SignalStreams = readonly SignalChannelState[];

/** Whether the issuer has such a channel, on which the receiver listens. */
export const hasChannel = ({ signals }: TrustedIssuer, channel: SignalChannelName): boolean =>
  channel === 'graph' ? signals?.graph?.notifications === true : signals?.sharedSignals !== undefined;

/** Whether the transmitter was silent for longer than its channel bears. */
export const isQuiet = (
  { signals }: TrustedIssuer,
  state: Pick<SignalChannelState, 'heardAtMs'> | undefined,
  nowMs: number,
): boolean => {
  const bound = signals?.sharedSignals?.maxQuietSeconds;
  return bound !== undefined && nowMs - (state?.heardAtMs ?? 0) > bound * 1_000;
};

/** @throws GatewayError `store_failed`. */
export const presentChannels = async (
  store: Pick<Store, 'findTenant' | 'listSignalChannels'>,
): Promise<SignalStreams> => {
  const present: SignalChannelState[] = [];
  for (const state of await store.listSignalChannels()) {
    const issuer = await findEnabledIssuer(store, state);
    if (issuer !== undefined && hasChannel(issuer, state.channel)) present.push(state);
  }
  return present;
};
