// The keys of transmitters, each channel by the address it names now; those no channel names any more are let go.

import type { JWTVerifyGetKey } from 'jose';
import type { SharedSignals } from '#core/issuer-signals.ts';
import { type CreateKeys, createKeyPool, type KeyAddress } from '#registry/remote-key-pool.ts';
import type { IssuerPlace } from '#registry/signals/find-channel.ts';

export type TransmitterKeys = {
  keysOf(place: IssuerPlace, settings: SharedSignals): JWTVerifyGetKey;
  stop(): void;
};

export const createTransmitterKeys = (createKeys: CreateKeys): TransmitterKeys => {
  const pool = createKeyPool(createKeys);
  const named = new Map<string, KeyAddress>();
  return {
    keysOf: ({ tenantId, issuerId }, { transmitter: issuer, jwksUri }) => {
      const channel = `${tenantId}/${issuerId}`;
      const known = named.get(channel);
      if (known?.issuer !== issuer || known.jwksUri !== jwksUri) {
        named.set(channel, { issuer, jwksUri });
        pool.keep(named.values());
      }
      return pool.keysOf({ issuer, jwksUri }).getKey;
    },
    stop: () => pool.keep([]),
  };
};
