// The real Envoy with the listener for publishers, in front of a registry's socket: certificates in files, as an
// operator has them, and clients that show whichever they like.

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { buildBootstrap } from '#envoy/bootstrap.ts';
import { writePublishSecrets } from '#envoy/publish-door.ts';
import {
  PUBLISH_AUTHORITY,
  PUBLISH_CERTIFICATES,
  PUBLISH_CRL,
  type TestCertificate,
} from '#test/support/publish-certificates.ts';
import { freePort, spawnEnvoy, startXdsServer, until } from '#test/support/xds-gateway.ts';
import { snapshotOf } from '#test/support/xds-world.ts';

export type PublishAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Subject alternative names of the certificate that the gateway showed. */
  readonly gatewayNames: string;
};

export type PublishCall = {
  readonly client?: TestCertificate | undefined;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
};

export type PublishGateway = {
  /** One call on a connection of its own. Rejects where the handshake does. */
  call(call: PublishCall): Promise<PublishAnswer>;
  /** Renames another certificate into the place of the gateway's own. */
  replaceCertificate(certificate: TestCertificate): Promise<void>;
  stop(): Promise<void>;
};

const send = (port: number, call: PublishCall): Promise<PublishAnswer> =>
  new Promise((resolve, reject) => {
    const { client, method = 'POST', path, headers = {}, body = Buffer.alloc(0) } = call;
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers,
        agent: false,
        servername: 'registry.example',
        ca: [PUBLISH_AUTHORITY],
        ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
      },
      (response) => {
        const names = (response.socket as TLSSocket).getPeerCertificate().subjectaltname ?? '';
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
            gatewayNames: names,
          }),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });

const writeFiles = async (directory: string) => {
  const at = (name: string): string => join(directory, name);
  const { certificate, key } = PUBLISH_CERTIFICATES.server;
  const files = {
    publishCertificateFile: at('tls.pem'),
    publishKeyFile: at('tls.key'),
    publishClientCaFile: at('clients.pem'),
    publishClientCrlFile: at('clients.crl'),
  };
  await writeFile(files.publishCertificateFile, certificate);
  await writeFile(files.publishKeyFile, key);
  await writeFile(files.publishClientCaFile, PUBLISH_AUTHORITY);
  await writeFile(files.publishClientCrlFile, PUBLISH_CRL);
  return files;
};

/** Starts Envoy; resolves once a publisher could come in. */
export const startPublishGateway = async (registrySocket: string): Promise<PublishGateway> => {
  const directory = await mkdtemp(join(tmpdir(), 'publish-'));
  const at = (name: string) => ({ kind: 'unix', path: join(directory, `${name}.sock`) }) as const;
  const files = await writeFiles(directory);
  const port = await freePort();
  const listener = {
    listenAddress: '127.0.0.1',
    port,
    certificateFile: files.publishCertificateFile,
    keyFile: files.publishKeyFile,
    clientCaFile: files.publishClientCaFile,
    clientCrlFile: files.publishClientCrlFile,
  };
  const registry = { kind: 'unix', path: registrySocket } as const;
  const publish = await writePublishSecrets(
    { runtimeDirectory: directory, registryPublish: registry },
    listener,
  );
  const services = { xdsServer: at('x'), extAuthz: at('a'), extProc: at('p'), rateLimit: at('r') };
  const settings = { listenAddress: '127.0.0.1', port: await freePort(), trustedHops: 0, listenerTls: false };
  const xds = await startXdsServer({
    address: services.xdsServer,
    settings: {
      ...settings,
      streamIdleSeconds: 60,
      accessLogOnStdout: false,
      upstreamCaFile: files.publishClientCaFile,
    },
  });
  xds.update(snapshotOf(1));
  const limits = { maxConnections: 100, maxHeapBytes: 1_000_000_000 };
  const bootstrap = buildBootstrap({ nodeId: 'publish', adminPort: 0, ...limits, services, publish });
  const envoy = await spawnEnvoy(directory, bootstrap);
  const ended = new Promise((resolve) => envoy.once('exit', resolve));
  const client = PUBLISH_CERTIFICATES.stranger;
  const isOpen = () =>
    send(port, { client, path: '/' }).then(
      () => true,
      () => false,
    );
  await until('the listener for publishers is open', isOpen, 30_000);
  return {
    call: (call) => send(port, call),
    replaceCertificate: async ({ certificate, key }) => {
      await writeFile(join(directory, 'next.key'), key);
      await writeFile(join(directory, 'next.pem'), certificate);
      await rename(join(directory, 'next.key'), files.publishKeyFile);
      await rename(join(directory, 'next.pem'), files.publishCertificateFile);
    },
    stop: async () => {
      envoy.kill('SIGKILL');
      await ended;
      await xds.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
