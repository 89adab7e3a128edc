// Certificates for upstreams, kept up to date with the files an operator lays down: looked at again and again, taken up
// when they are whole, and the last good ones kept when they are not. Says what is missing, and when what is there ends.

import type { Snapshot } from '#core/snapshot.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type FoundSecret, readSecret } from '#xds-server/secrets/read-secret.ts';
import { type MaterialOf, type SecretRef, secretsOf } from '#xds-server/translate/secrets.ts';

/** How often files are looked at. */
const LOOK_MS = 2_000;

export type UpstreamSecrets = {
  /** From now on exactly the secrets that the snapshot names are kept. Resolves once each was looked for. */
  want(snapshot: Snapshot): Promise<void>;
  readonly find: MaterialOf;
  stop(): void;
};

type File = Omit<SecretRef, 'serverId'>;
type Entry = { readonly file: File; readonly found: FoundSecret | undefined; readonly fault: string };

/** Servers of a tenant that name one secret share its files. */
const keyOf = ({ use, tenantId, name }: File): string => `${use}/${tenantId}/${name}`;

const filesOf = ({ tenants }: Snapshot): ReadonlyMap<string, File> => {
  const files = new Map<string, File>();
  for (const { id, servers } of tenants)
    for (const server of servers) for (const ref of secretsOf(id, server)) files.set(keyOf(ref), ref);
  return files;
};

class Secrets implements UpstreamSecrets {
  readonly #options: Parameters<typeof createUpstreamSecrets>[0];
  #entries: ReadonlyMap<string, Entry> = new Map();
  #wanted: ReadonlyMap<string, File> = new Map();
  readonly #timer: NodeJS.Timeout;
  readonly #missing;
  readonly #expiry;

  constructor(options: Parameters<typeof createUpstreamSecrets>[0]) {
    this.#options = options;
    this.#missing = options.metrics.gauge(
      'upstream_secrets_missing',
      'Secrets that servers name and nobody has laid down: those servers cannot be called.',
    );
    this.#expiry = options.metrics.gauge(
      'upstream_secret_expiry_timestamp_seconds',
      'When the certificate of an upstream secret ends.',
      ['tenant', 'use', 'name'],
    );
    this.#timer = setInterval(() => void this.#lookAtAll(), options.lookMs ?? LOOK_MS).unref();
  }

  async want(snapshot: Snapshot): Promise<void> {
    this.#wanted = filesOf(snapshot);
    const isNew = await this.#look([...this.#wanted].filter(([key]) => !this.#entries.has(key)));
    if (isNew) this.#options.onChange();
  }

  readonly find: MaterialOf = (ref) => this.#entries.get(keyOf(ref))?.found?.material;

  stop(): void {
    clearInterval(this.#timer);
  }

  async #lookAtAll(): Promise<void> {
    if (await this.#look([...this.#wanted])) this.#options.onChange();
  }

  /** Whether anything is other than it was. */
  async #look(files: readonly (readonly [string, File])[]): Promise<boolean> {
    const looked = await Promise.all(
      files.map(async ([key, file]) => [key, await this.#refreshed(file, this.#entries.get(key))] as const),
    );
    const before = this.#entries;
    const entries = new Map([...before, ...looked]);
    for (const key of entries.keys()) if (!this.#wanted.has(key)) entries.delete(key);
    this.#entries = entries;
    this.#tell();
    return looked.some(([key, { found }]) => found?.digest !== before.get(key)?.found?.digest);
  }

  async #refreshed(file: File, before: Entry | undefined): Promise<Entry> {
    const { use, tenantId, name } = file;
    const facts = { tenantId, use, name };
    const result = await readSecret(this.#options.directory, file);
    if (!result.ok) {
      const keeps = before?.found !== undefined;
      if (before?.fault !== result.error)
        this.#options.logger.warn({ ...facts, fault: result.error, keeps }, 'upstream secret not taken up');
      return { file, found: before?.found, fault: result.error };
    }
    if (result.value.digest === before?.found?.digest) return { file, found: before.found, fault: '' };
    const validTo = new Date(result.value.validToMs).toISOString();
    this.#options.logger.info({ ...facts, validTo }, 'upstream secret taken up');
    return { file, found: result.value, fault: '' };
  }

  #tell(): void {
    const entries = [...this.#entries.values()];
    this.#missing.set(entries.filter(({ found }) => found === undefined).length);
    this.#expiry.reset();
    for (const { file, found } of entries) {
      const { tenantId: tenant, use, name } = file;
      if (found !== undefined) this.#expiry.set({ tenant, use, name }, found.validToMs / 1_000);
    }
  }
}

/**
 * Keeps the secrets that servers name.
 * @param options.directory see read-secret.ts; it need not exist.
 * @param options.onChange called whenever `find` returns something new.
 */
export const createUpstreamSecrets = (options: {
  readonly directory: string;
  readonly onChange: () => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly lookMs?: number;
}): UpstreamSecrets => new Secrets(options);
