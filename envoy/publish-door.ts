// The variables of the listener for publishers, and the files Envoy reads its certificates by.

import { writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { PublishDoor } from '#envoy/bootstrap.ts';
import { buildPublishSecrets, type PublishListenerOptions } from '#envoy/publish-listener.ts';
import type { Address } from '#runtime/address.ts';
import { localAddress, port, socketDefault, text } from '#runtime/config.ts';

export const PUBLISH_VARIABLES = {
  publishPort: port('PUBLISH_PORT', '0'),
  publishListenAddress: text('PUBLISH_LISTEN_ADDRESS', '127.0.0.1'),
  publishCertificateFile: text('PUBLISH_TLS_CERTIFICATE_FILE', ''),
  publishKeyFile: text('PUBLISH_TLS_KEY_FILE', ''),
  publishClientCaFile: text('PUBLISH_CLIENT_CA_FILE', ''),
  publishClientCrlFile: text('PUBLISH_CLIENT_CRL_FILE', ''),
  registryPublish: localAddress('REGISTRY_PUBLISH_ADDRESS', socketDefault('registry-publish')),
};

type PublishConfiguration = {
  readonly publishPort: number;
  readonly publishListenAddress: string;
  readonly publishCertificateFile: string;
  readonly publishKeyFile: string;
  readonly publishClientCaFile: string;
  readonly publishClientCrlFile: string;
  readonly registryPublish: Address;
};

const findFaults = (config: PublishConfiguration): readonly string[] => {
  const required = {
    PUBLISH_TLS_CERTIFICATE_FILE: config.publishCertificateFile,
    PUBLISH_TLS_KEY_FILE: config.publishKeyFile,
    PUBLISH_CLIENT_CA_FILE: config.publishClientCaFile,
  };
  const missing = Object.entries(required).flatMap(([name, path]) =>
    isAbsolute(path) ? [] : [`${name}: with PUBLISH_PORT an absolute path is required`],
  );
  const { publishClientCrlFile: crl } = config;
  return crl === '' || isAbsolute(crl)
    ? missing
    : [...missing, 'PUBLISH_CLIENT_CRL_FILE: expected an absolute path'];
};

/**
 * The listener that is wanted, or undefined without a port.
 * @throws GatewayError `config_invalid` that names every variable at fault.
 */
export const readPublishListener = (config: PublishConfiguration): PublishListenerOptions | undefined => {
  if (config.publishPort === 0) return undefined;
  const faults = findFaults(config);
  if (faults.length > 0)
    throw new GatewayError('config_invalid', `Configuration is not valid:\n  ${faults.join('\n  ')}`);
  return {
    listenAddress: config.publishListenAddress,
    port: config.publishPort,
    certificateFile: config.publishCertificateFile,
    keyFile: config.publishKeyFile,
    clientCaFile: config.publishClientCaFile,
    clientCrlFile: config.publishClientCrlFile,
  };
};

/** Writes the documents that lead Envoy to the certificate files; they hold paths, no keys. */
export const writePublishSecrets = async (
  {
    registryPublish,
    runtimeDirectory,
  }: { readonly registryPublish: Address; readonly runtimeDirectory: string },
  listener: PublishListenerOptions,
): Promise<PublishDoor> => {
  const secretFiles = {
    certificate: join(runtimeDirectory, 'publish-certificate.json'),
    authorities: join(runtimeDirectory, 'publish-authorities.json'),
  };
  const secrets = buildPublishSecrets(listener);
  await writeFile(secretFiles.certificate, JSON.stringify(secrets.certificate), { mode: 0o600 });
  await writeFile(secretFiles.authorities, JSON.stringify(secrets.authorities), { mode: 0o600 });
  return { listener, secretFiles, registry: registryPublish };
};
