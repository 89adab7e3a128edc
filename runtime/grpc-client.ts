// How our processes dial each other: in plain text on this machine, beyond it over mutual TLS and only to a server whose
// certificate has one of the names that are expected there.

import { isIP } from 'node:net';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { GatewayError } from '#core/gateway-error.ts';
import { findSan, type SanPattern } from '#core/san-pattern.ts';
import { type Address, formatAddress, isLocal } from '#runtime/address.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';
import { namesOfPeer } from '#runtime/tls/tls-listener.ts';

export type DialOptions = { readonly credentials: ChannelCredentials; readonly options: ChannelOptions };

/** RFC 6066 §3 has no addresses in a server name; who the server is, is judged by its certificate alone. */
const NO_NAME: ChannelOptions = { 'grpc.ssl_target_name_override': 'internal' };

const secure = (host: string, peers: readonly SanPattern[], tls: InternalTls): DialOptions => ({
  // Of the moment: a channel is made for each attempt, so a renewed certificate is used from the next one on.
  credentials: credentials.createFromSecureContext(tls.current().context, {
    checkServerIdentity: (_host, { subjectaltname }) => {
      const names = namesOfPeer(subjectaltname);
      return names !== undefined && findSan(peers, names) !== undefined
        ? undefined
        : new Error('the certificate of the server has none of the names that are expected');
    },
  }),
  options: isIP(host) === 0 ? {} : NO_NAME,
});

/**
 * Credentials and options of a channel to the address.
 * @param tls required for an address with peers.
 * @throws GatewayError `config_invalid` for an address beyond this machine without mutual TLS.
 */
export const dialOptions = (address: Address, tls: InternalTls | undefined): DialOptions => {
  const peers = address.kind === 'tcp' ? address.peers : undefined;
  if (address.kind === 'tcp' && peers !== undefined && tls !== undefined)
    return secure(address.host, peers, tls);
  if (peers !== undefined || !isLocal(address))
    throw new GatewayError('config_invalid', `${formatAddress(address)} lies elsewhere: it needs mutual TLS`);
  return { credentials: credentials.createInsecure(), options: {} };
};
