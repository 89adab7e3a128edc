// The answer to whoever orders notifications at Graph: where they are to be sent, and with which secret.

import type { AuditKeys } from '#core/audit/audit-key.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { ChannelFault, ChannelQuestion, NotificationAddress } from '#core/signal-channel.ts';
import { addressesOf } from '#registry/signals/channel-address.ts';
import { clientStateOf } from '#registry/signals/client-state.ts';
import { findEnabledIssuer } from '#registry/signals/find-channel.ts';
import type { Store } from '#registry/store/store.ts';

/** @param parts.publicUrl where Graph reaches the receiver; absent: there is none. */
export const createChannelAnswers =
  (parts: {
    readonly store: Pick<Store, 'findTenant'>;
    readonly keys: AuditKeys;
    readonly publicUrl: string | undefined;
  }) =>
  async ({ tenantId, issuerId }: ChannelQuestion): Promise<Result<NotificationAddress, ChannelFault>> => {
    const { store, keys, publicUrl } = parts;
    if (publicUrl === undefined) return err('off');
    const issuer = await findEnabledIssuer(store, { tenantId, issuerId });
    const graph = issuer?.signals?.graph;
    if (graph?.notifications !== true) return err('unknown');
    return ok({
      notificationUrl: addressesOf(publicUrl, tenantId, issuerId).graph,
      clientState: clientStateOf(keys, { tenantId, issuerId, clientId: graph.clientId }),
    });
  };
