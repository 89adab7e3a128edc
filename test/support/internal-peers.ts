// Certificates of our processes for tests of mutual TLS: files below one directory, as an operator lays them out, and
// renewals by renaming, as certificate managers make them.

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSanPattern, type SanPattern } from '#core/san-pattern.ts';
import type { Address } from '#runtime/address.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { type InternalTls, watchTlsFiles } from '#runtime/tls/internal-tls.ts';
import type { TlsFiles } from '#runtime/tls/tls-files.ts';
import type { IssuedCertificate } from '#test/support/test-authority.ts';

/** `spiffe://mcpgw.test/{name}`. */
export const idOf = (name: string): string => `spiffe://mcpgw.test/${name}`;

export const patterns = (...texts: readonly string[]): readonly SanPattern[] =>
  texts.map((text) => {
    const parsed = parseSanPattern(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.value;
  });

/** An address on this machine that speaks mutual TLS all the same. */
export const tlsAddress = (port: number, ...peers: readonly string[]): Address => ({
  kind: 'tcp',
  host: '127.0.0.1',
  port,
  peers: patterns(...peers),
});

const put = async (file: string, text: string): Promise<void> => {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
};

/** Writes the files of a peer, or renews them. */
export const writePeer = async (
  directory: string,
  { certificate, key }: IssuedCertificate,
  authority: string,
): Promise<TlsFiles> => {
  await mkdir(directory, { recursive: true });
  const at = (name: string): string => join(directory, name);
  await put(at('key.pem'), key);
  await put(at('certificate.pem'), certificate);
  await put(at('ca.pem'), authority);
  return { certificateFile: at('certificate.pem'), keyFile: at('key.pem'), caFile: at('ca.pem') };
};

export type WatchedTls = InternalTls & { readonly lines: readonly string[] };

/** TLS of a process in this one, which looks at its files often; `lines` is what it logs. */
export const watchPeer = async (files: TlsFiles): Promise<WatchedTls> => {
  const lines: string[] = [];
  const logger = createLogger('registry', 'info', { write: (line) => lines.push(line) });
  const tls = await watchTlsFiles(files, { logger, metrics: createMetrics('registry'), lookMs: 50 });
  return { ...tls, lines };
};
