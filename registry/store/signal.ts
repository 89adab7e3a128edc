// The registry's words for what came by a channel of signals: what is written of it, and what is known of the channel.

import type { DirectoryHint } from '#core/feed-message.ts';
import type { SignatureId } from '#registry/store/signature-id.ts';

export const SIGNAL_CHANNELS = ['shared-signals', 'graph'] as const;
export type SignalChannelName = (typeof SIGNAL_CHANNELS)[number];

export const STREAM_STATUSES = ['enabled', 'paused', 'disabled'] as const;
export type StreamStatus = (typeof STREAM_STATUSES)[number];

export type SignalChannelKey = {
  readonly tenantId: string;
  readonly issuerId: string;
  readonly channel: SignalChannelName;
};

/** Times are milliseconds since the epoch. */
export type SignalChannelState = SignalChannelKey & {
  /** When something true last came by it. */
  readonly heardAtMs: number;
  /** When its transmitter last showed that it works, if ever, and the state that it sent along. */
  readonly verifiedAtMs?: number;
  readonly verifiedState?: string;
  /** What its transmitter last said of the stream, if anything. */
  readonly streamStatus?: StreamStatus;
};

export type TakenSignal = {
  readonly key: SignalChannelKey;
  readonly nowMs: number;
  /** What makes it the one it is, where it can come twice. */
  readonly id?: SignatureId;
  readonly verified?: { readonly state?: string };
  readonly streamStatus?: StreamStatus;
  /** What whoever watches the directory is to be told. */
  readonly hints?: readonly DirectoryHint[];
};

export type SignalStore = {
  /**
   * Commits that something came by a channel, with the hints it makes. False: it came before (`id`), and nothing is
   * written.
   */
  takeSignal(signal: TakenSignal): Promise<boolean>;
  /** Channels by which something came, of all tenants. */
  listSignalChannels(): Promise<readonly SignalChannelState[]>;
};
