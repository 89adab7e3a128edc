// Shared state in Redis: one server, Sentinels or a Cluster. Every command touches one key, since the keys of an owner lie on
// several nodes of a Cluster: an index of each owner says which they are.

import { createHash } from 'node:crypto';
import { GatewayError } from '#core/gateway-error.ts';
import { ok, type Result } from '#core/result.ts';
import type { Logger } from '#runtime/logger.ts';
import type { RedisClient } from '#runtime/redis/redis-client.ts';
import type { RedisConfiguration } from '#runtime/redis/redis-configuration.ts';
import { redisFault } from '#runtime/redis/redis-fault.ts';
import { type RedisLink, startRedisLink } from '#runtime/redis/redis-link.ts';
import type { RedisTarget } from '#runtime/redis/redis-url.ts';
import { type Attempts, createAttempts } from '#runtime/shared-state/attempt.ts';
import { STATE_SCRIPTS } from '#runtime/shared-state/redis-scripts.ts';
import type { SharedEntry, SharedFault, SharedState } from '#runtime/shared-state/shared-state.ts';

/** Longest value, bytes. A token has a few thousand; what is larger is not of ours and is not fetched. */
const MAX_VALUE_BYTES = 1024 * 1024;

/** Before the value stands whose it is, so that what changed hands is not removed with what its old owner had. */
const TAG_CHARACTERS = 22;
const NOBODY = '-'.repeat(TAG_CHARACTERS);

/** Nodes of a Cluster do not agree on the time: an entry is listed a little longer than it lives. */
const LISTED_LONGER_MS = 60_000;

/** An owner with thousands of entries is removed in parts, so that no other command waits behind them. */
const REMOVED_AT_ONCE = 500;

const tagOf = (owner: string | undefined): string =>
  owner === undefined
    ? NOBODY
    : createHash('sha256').update(owner).digest('base64url').slice(0, TAG_CHARACTERS);

const wholeMs = (lifetimeMs: number): string => String(Math.max(1, Math.ceil(lifetimeMs)));

type Ask = (client: RedisClient) => Promise<unknown>;

type Script = keyof typeof STATE_SCRIPTS;

const runScript = (client: RedisClient, name: Script, key: string, ...rest: readonly string[]) =>
  (client as unknown as Record<Script, (...given: readonly string[]) => Promise<unknown>>)[name](
    key,
    ...rest,
  );

/** Undefined where it is not one that `write` has made. */
const valueFrom = (stored: unknown): string | undefined => {
  if (typeof stored !== 'string' || stored.length < TAG_CHARACTERS) return undefined;
  return Buffer.byteLength(stored) > TAG_CHARACTERS + MAX_VALUE_BYTES
    ? undefined
    : stored.slice(TAG_CHARACTERS);
};

/** Whether Redis said that what lies under the key is no text. That is an answer: nothing of ours is there. */
const isWrongType = (thrown: unknown): boolean =>
  thrown instanceof Error && thrown.message.startsWith('WRONGTYPE');

class RedisState implements SharedState {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #attempts: Attempts;

  constructor(link: RedisLink, prefix: string, attempts: Attempts) {
    this.#link = link;
    this.#prefix = prefix;
    this.#attempts = attempts;
  }

  async read(key: string): Promise<Result<string | undefined, SharedFault>> {
    const last = String(TAG_CHARACTERS + MAX_VALUE_BYTES);
    const stored = await this.#ask((client) =>
      client.call('GETRANGE', this.#value(key), '0', last).catch((thrown: unknown) => {
        if (isWrongType(thrown)) return undefined;
        throw thrown;
      }),
    );
    return stored.ok ? ok(valueFrom(stored.value)) : stored;
  }

  async write(key: string, entry: SharedEntry): Promise<Result<true, SharedFault>> {
    const { value, lifetimeMs, owner } = entry;
    if (Buffer.byteLength(value) > MAX_VALUE_BYTES) return this.remove(key);
    if (owner !== undefined) {
      // Listed first: a value that is not on the list would outlive the removal of its owner's.
      const listedMs = wholeMs(lifetimeMs + LISTED_LONGER_MS);
      const listed = await this.#ask((client) =>
        runScript(client, 'stateList', this.#index(owner), key, listedMs),
      );
      if (!listed.ok) return listed;
    }
    const stored = `${tagOf(owner)}${value}`;
    return this.#done((client) => client.call('SET', this.#value(key), stored, 'PX', wholeMs(lifetimeMs)));
  }

  async remove(key: string): Promise<Result<true, SharedFault>> {
    return this.#done((client) => client.call('DEL', this.#value(key)));
  }

  /**
   * The list is left as it is: its entries end by themselves, and one that is taken off while another process writes the
   * value anew would be lost to the next removal.
   */
  async removeOwned(owner: string): Promise<Result<true, SharedFault>> {
    const listed = await this.#ask((client) => runScript(client, 'stateListed', this.#index(owner)));
    if (!listed.ok) return listed;
    const keys = listed.value as readonly string[];
    const tag = tagOf(owner);
    for (let from = 0; from < keys.length; from += REMOVED_AT_ONCE) {
      const removed = await this.#done((client) =>
        Promise.all(
          keys
            .slice(from, from + REMOVED_AT_ONCE)
            .map((key) => runScript(client, 'stateRemoveTagged', this.#value(key), tag)),
        ),
      );
      if (!removed.ok) return removed;
    }
    return ok(true);
  }

  async claim(
    key: string,
    { holder, lifetimeMs }: { readonly holder: string; readonly lifetimeMs: number },
  ): Promise<Result<boolean, SharedFault>> {
    let isLate = false;
    const taken = await this.#ask((client) =>
      runScript(client, 'stateClaim', this.#lease(key), holder, wholeMs(lifetimeMs)).then((answer) => {
        // Nobody waits for it any more: held for nothing, it would keep the others out.
        if (isLate && answer === 1) void this.release(key, holder);
        return answer;
      }),
    );
    isLate = !taken.ok;
    return taken.ok ? ok(taken.value === 1) : taken;
  }

  async release(key: string, holder: string): Promise<Result<true, SharedFault>> {
    return this.#done((client) => runScript(client, 'stateRelease', this.#lease(key), holder));
  }

  async stop(): Promise<void> {
    this.#attempts.close();
    this.#link.stop();
  }

  #value(key: string): string {
    return `${this.#prefix}value:${key}`;
  }

  #lease(key: string): string {
    return `${this.#prefix}lease:${key}`;
  }

  #index(owner: string): string {
    return `${this.#prefix}owner:${owner}`;
  }

  async #ask(question: Ask): Promise<Result<unknown, SharedFault>> {
    return this.#attempts.run(async () => {
      const client = this.#link.ready();
      if (client === undefined) throw new GatewayError('store_failed', this.#link.fault() ?? 'CLOSED');
      return question(client);
    });
  }

  async #done(command: Ask): Promise<Result<true, SharedFault>> {
    const answer = await this.#ask(command);
    return answer.ok ? ok(true) : answer;
  }
}

/** What is not of the house is one word: an error of ioredis may carry the command. */
const explain = (thrown: unknown): string =>
  thrown instanceof GatewayError ? thrown.message : redisFault(thrown);

/** State in the Redis of the configuration. It starts also where Redis is away, and is `unavailable` until it is back. */
export const openRedisState = async (
  configuration: RedisConfiguration & { readonly redis: RedisTarget },
  parts: { readonly logger: Logger; readonly random: () => number },
): Promise<SharedState> => {
  const { logger, random } = parts;
  const { redisTimeoutMs: deadlineMs } = configuration;
  const link = await startRedisLink({ configuration, scripts: STATE_SCRIPTS, random });
  const attempts = createAttempts({ backend: 'redis', deadlineMs, logger, explain });
  return new RedisState(link, configuration.redisKeyPrefix, attempts);
};
