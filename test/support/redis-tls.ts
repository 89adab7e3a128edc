// TLS before a real Redis, ended by Node: the Redis of the wheel is built without. With `clients` it wants a certificate.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import type { RedisServer } from '#test/support/redis-server.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';

type RedisTls = {
  readonly url: string;
  readonly caFile: string;
  /** Of a client that the server lets in. */
  readonly certificateFile: string;
  readonly keyFile: string;
  stop(): Promise<void>;
};

/** Serves on a free port what the server serves on its own. */
export const startRedisTls = async (
  server: RedisServer,
  options: { readonly clients?: boolean } = {},
): Promise<RedisTls> => {
  const directory = mkdtempSync(join(tmpdir(), 'redis-tls-'));
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    return join(directory, name);
  };
  const authority = createTestAuthority();
  const own = authority.issue(['localhost', '127.0.0.1']);
  const client = authority.issue(['gateway.example']);
  const open = new Set<Socket>();
  const front = createServer(
    {
      cert: own.certificate,
      key: own.key,
      ca: authority.certificate,
      requestCert: options.clients ?? false,
      rejectUnauthorized: options.clients ?? false,
    },
    (socket) => {
      const inner = connect(server.port, '127.0.0.1');
      for (const each of [socket, inner]) {
        open.add(each);
        each.on('error', () => undefined).once('close', () => open.delete(each));
      }
      socket.once('close', () => inner.destroy());
      inner.once('close', () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    },
  );
  front.on('tlsClientError', (_error, socket) => socket.destroy());
  await once(front.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `rediss://localhost:${(front.address() as AddressInfo).port}`,
    caFile: file('ca.pem', authority.certificate),
    certificateFile: file('client.pem', client.certificate),
    keyFile: file('client.key', client.key),
    stop: async () => {
      for (const socket of open) socket.destroy();
      front.close();
      await once(front, 'close');
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
