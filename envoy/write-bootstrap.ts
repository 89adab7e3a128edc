// Writes the bootstrap and the documents it leads to into the runtime directory.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBootstrap } from '#envoy/bootstrap.ts';
import {
  type BootstrapConfiguration,
  besideExtAuthz,
  maxHeapBytes,
  nodeClaim,
} from '#envoy/configuration.ts';
import { readGatewayAuthorities, writeGatewayAuthorities } from '#envoy/gateway-authorities.ts';
import {
  type GatewayCertificate,
  readGatewayCertificate,
  writeGatewayCertificate,
} from '#envoy/gateway-certificate.ts';
import { readPublishListener, writePublishSecrets } from '#envoy/publish-door.ts';
import { writeInternalSecrets } from '#envoy/write-internal-secrets.ts';
import { readTlsFileVariables } from '#runtime/tls/internal-tls.ts';

export type WrittenBootstrap = {
  readonly file: string;
  readonly text: string;
  /** Of the gateway's own listener; absent without TLS there. */
  readonly certificate?: GatewayCertificate;
};

/** @throws GatewayError `config_invalid`. */
export const writeBootstrap = async (config: BootstrapConfiguration): Promise<WrittenBootstrap> => {
  const { nodeId, adminPort, maxConnections, xdsServer, extAuthz, extProc, rateLimit } = config;
  const { runtimeDirectory } = config;
  await mkdir(runtimeDirectory, { recursive: true, mode: 0o700 });
  const listener = readPublishListener(config);
  const publish = listener === undefined ? {} : { publish: await writePublishSecrets(config, listener) };
  const files = readTlsFileVariables();
  const tls = files === undefined ? {} : { secretFiles: await writeInternalSecrets(runtimeDirectory, files) };
  const extAuthzBeside = besideExtAuthz(config);
  const services = { xdsServer, extAuthz, extAuthzBeside, extProc, rateLimit };
  const limits = { maxConnections, maxHeapBytes: maxHeapBytes(config) };
  const node = nodeClaim(config);
  const zone = config.zone === '' ? {} : { zone: config.zone };
  const bootstrap = buildBootstrap({
    nodeId,
    node,
    adminPort,
    ...zone,
    ...limits,
    services,
    ...tls,
    ...publish,
  });
  const file = join(runtimeDirectory, 'envoy-bootstrap.json');
  const text = `${JSON.stringify(bootstrap, null, 2)}\n`;
  await writeFile(file, text, { mode: 0o600 });
  const authorities = readGatewayAuthorities(config);
  if (authorities !== undefined) await writeGatewayAuthorities(runtimeDirectory, authorities);
  const certificate = readGatewayCertificate(config);
  if (certificate === undefined) return { file, text };
  await writeGatewayCertificate(runtimeDirectory, certificate);
  return { file, text, certificate };
};
