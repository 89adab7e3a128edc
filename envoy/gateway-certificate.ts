// The certificate of the gateway's own listener on this machine: its variables, the document that leads Envoy to it, and
// what is said while it lies there broken or about to end. Envoy itself goes on with the last good one, silently.

import { writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { GATEWAY_CERTIFICATE, GATEWAY_CERTIFICATE_DOCUMENT } from '#core/gateway-certificate.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { certificateDocument } from '#envoy/secret-document.ts';
import { gatewayTls, text } from '#runtime/config.ts';
import type { Logger } from '#runtime/logger.ts';
import { readTlsFiles } from '#runtime/tls/tls-files.ts';

export const GATEWAY_TLS_VARIABLES = {
  gatewayTls,
  gatewayCertificateFile: text('GATEWAY_TLS_CERTIFICATE_FILE', ''),
  gatewayKeyFile: text('GATEWAY_TLS_KEY_FILE', ''),
};

export type GatewayCertificate = { readonly certificateFile: string; readonly keyFile: string };

const LOOK_MS = 3_600_000;
/** Renewals are due a month or more before; what has this little left will not be renewed by itself. */
const SOON_MS = 14 * 24 * 3_600_000;

const invalid = (faults: readonly string[]): GatewayError =>
  new GatewayError('config_invalid', `Configuration is not valid:\n  ${faults.join('\n  ')}`);

/**
 * The files that are wanted, undefined without TLS.
 * @throws GatewayError `config_invalid` where a file is missing, or files are named and TLS is off: the listener would
 * speak plainly although somebody thought otherwise.
 */
export const readGatewayCertificate = (config: {
  readonly gatewayTls: boolean;
  readonly gatewayCertificateFile: string;
  readonly gatewayKeyFile: string;
}): GatewayCertificate | undefined => {
  const { gatewayCertificateFile: certificateFile, gatewayKeyFile: keyFile } = config;
  const files = { GATEWAY_TLS_CERTIFICATE_FILE: certificateFile, GATEWAY_TLS_KEY_FILE: keyFile };
  if (!config.gatewayTls) {
    const named = Object.entries(files).filter(([, path]) => path !== '');
    if (named.length === 0) return undefined;
    throw invalid(named.map(([name]) => `${name}: set GATEWAY_TLS=true too, here and at xds-server`));
  }
  const missing = Object.entries(files).filter(([, path]) => !isAbsolute(path));
  if (missing.length === 0) return { certificateFile, keyFile };
  throw invalid(missing.map(([name]) => `${name}: with GATEWAY_TLS an absolute path is required`));
};

/** What is wrong with the files now, in one sentence, or undefined. Repeats no content. */
export const findCertificateFault = async (
  { certificateFile, keyFile }: GatewayCertificate,
  nowMs: number,
): Promise<{ readonly fault: string; readonly usable: boolean } | undefined> => {
  // The chain is no authority here; it is read once more only because the reader wants one.
  const read = await readTlsFiles({ certificateFile, keyFile, caFile: certificateFile });
  if (!read.ok) return { fault: read.error, usable: false };
  const left = read.value.validToMs - nowMs;
  if (left > SOON_MS) return undefined;
  const end = new Date(read.value.validToMs).toISOString();
  return { fault: `${certificateFile} ${left > 0 ? 'ends' : 'has ended'} at ${end}`, usable: true };
};

/**
 * Writes the document into Envoy's working directory.
 * @throws GatewayError `config_invalid` for files Envoy could not use: its listener would never open, without a word.
 */
export const writeGatewayCertificate = async (
  workingDirectory: string,
  files: GatewayCertificate,
): Promise<void> => {
  const found = await findCertificateFault(files, Date.now());
  if (found?.usable === false) throw invalid([found.fault]);
  const document = certificateDocument(GATEWAY_CERTIFICATE, files.certificateFile, files.keyFile);
  await writeFile(join(workingDirectory, GATEWAY_CERTIFICATE_DOCUMENT), JSON.stringify(document), {
    mode: 0o600,
  });
};

/** Says every hour what is wrong with the files; returns what ends that. */
export const watchGatewayCertificate = (files: GatewayCertificate, logger: Logger): (() => void) => {
  const look = async (): Promise<void> => {
    const found = await findCertificateFault(files, Date.now());
    if (found === undefined) return;
    const { fault, usable } = found;
    if (usable) logger.warn({ fault }, 'the certificate of the gateway needs renewal');
    else
      logger.error({ fault }, 'the certificate of the gateway cannot be used; Envoy goes on with the last');
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  void look();
  return () => clearInterval(timer);
};
