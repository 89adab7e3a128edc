// What the routes work with. Everything that is not in here comes with the request.

import type { NodeConfigQuestion } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import type { AdminTrusts } from '#registry/api/auth/admin-trusts.ts';
import type { CheckUrl } from '#registry/commands/outcome.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import type { NodeConfigOutcome } from '#registry/feed/node-desk.ts';
import type { PreviewOutcome } from '#registry/feed/preview-desk.ts';
import type { RecordRevocation } from '#registry/record-revocation.ts';
import type { Store } from '#registry/store/store.ts';
import type { Logger } from '#runtime/logger.ts';

/** How a write ended; the labels of a metric. */
export type WriteOutcome = 'committed' | 'unchanged' | 'refused' | 'failed';

export type ApiContext = {
  readonly store: Store;
  readonly checkUrl: CheckUrl;
  readonly adminTrusts: Pick<AdminTrusts, 'holderOf'>;
  /** Where clients reach the registry: an audience of signed manifests. */
  readonly publicUrl: string;
  /** Where identity providers reach the receiver of signals; undefined where there is none. */
  readonly signalsUrl: string | undefined;
  readonly consumers: () => Promise<readonly ConsumerEntry[]>;
  /** Calls `listener` whenever a consumer came, went or reported; returns what ends that. */
  readonly onReport: (listener: () => void) => () => void;
  /** What a tenant would change for Envoys, if an xds-server is there to be asked. */
  readonly preview: (tenant: Tenant) => Promise<PreviewOutcome>;
  /** What an Envoy of the xds-server of that name is to have and has. */
  readonly nodeConfig: (xdsServer: string, question: NodeConfigQuestion) => Promise<NodeConfigOutcome>;
  readonly recordRevocation: RecordRevocation;
  readonly onWrite: (outcome: WriteOutcome) => void;
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly newId: () => string;
};
