// An https upstream with a certificate of the test's choice, which may ask for one in turn and says whom it saw.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { IssuedCertificate } from '#test/support/test-authority.ts';

export type TlsUpstream = {
  readonly port: number;
  /** Names of the client's certificate, one entry a call; empty where it showed none. */
  readonly callers: string[];
  /** Connections taken so far. */
  connections(): number;
  /** Another certificate for connections from now on. */
  renew(identity: IssuedCertificate): void;
  stop(): Promise<void>;
};

/** @param clientCa whose certificates callers must have; undefined: they need none. */
export const startTlsUpstream = async (
  identity: IssuedCertificate,
  clientCa?: string,
): Promise<TlsUpstream> => {
  const callers: string[] = [];
  let connections = 0;
  const client = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const contextOf = ({ certificate, key }: IssuedCertificate) => ({ cert: certificate, key, ...client });
  const server = createServer(contextOf(identity), (request, response) => {
    const peer = (request.socket as TLSSocket).getPeerX509Certificate?.();
    callers.push(peer?.subjectAltName ?? '');
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write('data: x\n\n'), 20);
      response.on('close', () => clearInterval(timer));
      return;
    }
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ upstream: 'tls' }));
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    callers,
    connections: () => connections,
    renew: (next) => server.setSecureContext(contextOf(next)),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
