// Who may sign certificates of clients at the gateway's own listener: variables of this machine, and the document that
// leads Envoy to the files. What a certificate is good for is said by the tokens that are bound to it.

import { writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { GATEWAY_AUTHORITIES, GATEWAY_AUTHORITIES_DOCUMENT } from '#core/gateway-certificate.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { authoritiesDocument } from '#envoy/secret-document.ts';
import { gatewayClientCertificates, gatewayTls, text } from '#runtime/config.ts';

export const GATEWAY_CLIENT_VARIABLES = {
  gatewayTls,
  gatewayClientCertificates,
  gatewayClientCaFile: text('GATEWAY_CLIENT_CA_FILE', ''),
  gatewayClientCrlFile: text('GATEWAY_CLIENT_CRL_FILE', ''),
};

export type GatewayAuthorities = { readonly caFile: string; readonly crlFile: string };

type Configuration = {
  readonly gatewayTls: boolean;
  readonly gatewayClientCertificates: boolean;
  readonly gatewayClientCaFile: string;
  readonly gatewayClientCrlFile: string;
};

const faultsOf = (config: Configuration): readonly string[] => {
  const { gatewayClientCaFile: caFile, gatewayClientCrlFile: crlFile } = config;
  if (!config.gatewayClientCertificates)
    return Object.entries({ GATEWAY_CLIENT_CA_FILE: caFile, GATEWAY_CLIENT_CRL_FILE: crlFile })
      .filter(([, path]) => path !== '')
      .map(([name]) => `${name}: set GATEWAY_CLIENT_CERTIFICATES=true too, here and at xds-server`);
  return [
    ...(config.gatewayTls
      ? []
      : ['GATEWAY_CLIENT_CERTIFICATES: only a listener with GATEWAY_TLS asks for one']),
    ...(isAbsolute(caFile)
      ? []
      : ['GATEWAY_CLIENT_CA_FILE: with GATEWAY_CLIENT_CERTIFICATES an absolute path is required']),
    ...(crlFile === '' || isAbsolute(crlFile) ? [] : ['GATEWAY_CLIENT_CRL_FILE: expected an absolute path']),
  ];
};

/**
 * The files that are wanted, undefined where clients are not asked for certificates.
 * @throws GatewayError `config_invalid` for settings of which one half is missing: somebody would think that certificates
 * are asked for.
 */
export const readGatewayAuthorities = (config: Configuration): GatewayAuthorities | undefined => {
  const faults = faultsOf(config);
  if (faults.length > 0)
    throw new GatewayError('config_invalid', `Configuration is not valid:\n  ${faults.join('\n  ')}`);
  const { gatewayClientCaFile: caFile, gatewayClientCrlFile: crlFile } = config;
  return config.gatewayClientCertificates ? { caFile, crlFile } : undefined;
};

/** Writes the document into Envoy's working directory; without it Envoy refuses the listener. */
export const writeGatewayAuthorities = (
  workingDirectory: string,
  { caFile, crlFile }: GatewayAuthorities,
): Promise<void> =>
  writeFile(
    join(workingDirectory, GATEWAY_AUTHORITIES_DOCUMENT),
    JSON.stringify(authoritiesDocument(GATEWAY_AUTHORITIES, caFile, crlFile)),
    { mode: 0o600 },
  );
