// Mutual TLS of this process with our other processes: one certificate for both directions, kept up to date, and what
// is said of it. Knows no service; grpc-server.ts and whoever dials use it.

import { isAbsolute } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { err, ok } from '#core/result.ts';
import { type Environment, readConfig, type Variable } from '#runtime/config.ts';
import type { Logger } from '#runtime/logger.ts';
import { lookAgain } from '#runtime/look-again.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { TLS_FILE_VARIABLES } from '#runtime/tls/tls-address.ts';
import { readTlsFiles, type TlsFiles, type TlsMaterial } from '#runtime/tls/tls-files.ts';

/** How often the files are looked at. */
const LOOK_MS = 2_000;

export type InternalTls = {
  /** What belongs together and was found last. */
  current(): TlsMaterial;
  /** Calls `listener` after every renewal; returns what ends that. */
  onRenewal(listener: (material: TlsMaterial) => void): () => void;
  /** Says that a peer was not let in: who, as far as it is known, and why. */
  refused(facts: { readonly peer: string; readonly why: string; readonly names?: readonly string[] }): void;
  stop(): void;
};

const path = (name: string): Variable<string> => ({
  name,
  fallback: undefined,
  parse: (text) => (isAbsolute(text) ? ok(text) : err('expected the absolute path of a PEM file')),
});

const [CERTIFICATE, KEY, CA] = TLS_FILE_VARIABLES;

/**
 * The files that are configured, undefined for none.
 * @throws GatewayError `config_invalid` where only some of them are.
 */
export const readTlsFileVariables = (environment?: Environment): TlsFiles | undefined => {
  const given = readConfig(
    Object.fromEntries(
      TLS_FILE_VARIABLES.map((name) => [name, { name, fallback: 'none', parse: (text: string) => ok(text) }]),
    ),
    environment,
  );
  if (Object.values(given).every((text) => text === 'none')) return undefined;
  return readConfig(
    { certificateFile: path(CERTIFICATE), keyFile: path(KEY), caFile: path(CA) },
    environment,
  );
};

/** Watches files of a process for as long as it lives. */
export const watchTlsFiles = async (
  files: TlsFiles,
  tools: { readonly logger: Logger; readonly metrics: Metrics; readonly lookMs?: number },
): Promise<InternalTls> => {
  const { logger, metrics, lookMs = LOOK_MS } = tools;
  const expiry = metrics.gauge('internal_tls_expiry_timestamp_seconds', 'When our own certificate ends.');
  const refusals = metrics.counter('internal_tls_refused_total', 'Peers that were not let in.');
  const first = await readTlsFiles(files);
  if (!first.ok) throw new GatewayError('config_invalid', `internal TLS: ${first.error}`);
  let current = first.value;
  let fault = '';
  expiry.set(current.validToMs / 1_000);
  const listeners = new Set<(material: TlsMaterial) => void>();
  const look = async (): Promise<void> => {
    const found = await readTlsFiles(files);
    // Two files are never renewed in one moment; what lasts until the next look is told.
    if (!found.ok && fault !== found.error)
      logger.warn({ fault: found.error }, 'internal TLS files not taken up; going on with those before');
    fault = found.ok ? '' : found.error;
    if (!found.ok || found.value.digest === current.digest) return;
    current = found.value;
    expiry.set(current.validToMs / 1_000);
    logger.info({ validTo: new Date(current.validToMs).toISOString() }, 'internal TLS files renewed');
    for (const listener of listeners) listener(current);
  };
  const stop = lookAgain(look, lookMs);
  return {
    current: () => current,
    onRenewal: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    refused: (facts) => {
      refusals.inc();
      logger.warn(facts, 'peer refused');
    },
    stop,
  };
};

/** The TLS that is configured; undefined for none. @throws GatewayError `config_invalid`. */
export const startInternalTls = async (tools: {
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Promise<InternalTls | undefined> => {
  const files = readTlsFileVariables();
  return files === undefined ? undefined : watchTlsFiles(files, tools);
};
