// A port that only known peers get through: the handshake proves who they are, and whoever is not on the list is cut
// off before a byte of gRPC is read. The connections that remain are handed on as they come.

import { constants } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { type CertificateNames, listNames, readCertificateNames } from '#core/certificate-names.ts';
import { findSan, type SanPattern } from '#core/san-pattern.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';
import type { TlsMaterial } from '#runtime/tls/tls-files.ts';

/** A handshake that trickles in holds a connection no longer. */
const HANDSHAKE_MS = 10_000;

export type TlsListener = {
  /** The bound port. */
  readonly port: number;
  /** Takes no more connections; those that are open go on. */
  close(): void;
};

const optionsOf = ({ cert, key, ca }: TlsMaterial) => ({
  cert,
  key,
  ca,
  minVersion: 'TLSv1.2' as const,
  // A resumed session is not verified again: a certificate that ended, or an authority that was taken away, would live
  // on in its ticket.
  secureOptions: constants.SSL_OP_NO_TICKET,
});

/** Names of the certificate the peer has shown; undefined if it showed none, or one that cannot be read. */
export const namesOfPeer = (subjectAltName: string | undefined): CertificateNames | undefined =>
  readCertificateNames(subjectAltName ?? '');

/** Why the peer is not let in; undefined if it is. */
const findFault = (socket: TLSSocket, peers: readonly SanPattern[]): string | undefined => {
  if (!socket.authorized) return String(socket.authorizationError);
  if (socket.isSessionReused()) return 'its session was resumed';
  const names = namesOfPeer(socket.getPeerCertificate().subjectaltname);
  return names !== undefined && findSan(peers, names) !== undefined
    ? undefined
    : 'no name of its certificate is on the list of those that may call';
};

/**
 * Listens; every connection that gets through is handed to `onConnection`.
 * @throws what `listen` fails with.
 */
export const startTlsListener = async (options: {
  readonly host: string;
  readonly port: number;
  readonly peers: readonly SanPattern[];
  readonly tls: InternalTls;
  readonly onConnection: (socket: TLSSocket) => void;
}): Promise<TlsListener> => {
  const { host, port, peers, tls, onConnection } = options;
  const server = createServer({
    ...optionsOf(tls.current()),
    requestCert: true,
    // Node would cut the connection without a word; findFault does, with the reason in the log.
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_MS,
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    const why = findFault(socket, peers);
    if (why === undefined) return onConnection(socket);
    const names = namesOfPeer(socket.getPeerCertificate().subjectaltname);
    tls.refused({
      peer: String(socket.remoteAddress),
      why,
      names: names === undefined ? [] : listNames(names),
    });
    return socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    const { code } = error as NodeJS.ErrnoException;
    // A connection that is dropped before the handshake asks for nothing; whoever probes the port does that.
    if (code !== 'ECONNRESET')
      tls.refused({ peer: String(socket.remoteAddress), why: code ?? error.message });
    socket.destroy();
  });
  const forget = tls.onRenewal((material) => server.setSecureContext(optionsOf(material)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      forget();
      server.close();
    },
  };
};
