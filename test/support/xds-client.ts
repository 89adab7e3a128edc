// A scripted xDS client over real gRPC, in both protocols: it says what a test makes it say and answers nothing by
// itself. What differs between the protocols (names repeated or not, versions) is handled here, so that tests share
// their tables.

import { Client, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { findMessageType } from '#protos/root.ts';
import { loadService } from '#protos/service.ts';
import { typeNameOf } from '#protos/typed-struct.ts';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { dialOptions } from '#runtime/grpc-client.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';
import type { WireNode } from '#xds-server/nodes/claim.ts';
import { findKind, type ResourceKind, TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { Protocol } from '#xds-server/stream/conversation.ts';

export type RawRequest = Readonly<Record<string, unknown>>;
type RawAny = { readonly type_url: string; readonly value: Buffer };
type RawResponse = {
  readonly type_url: string;
  readonly nonce: string;
  readonly version_info?: string;
  readonly system_version_info?: string;
  readonly resources: readonly (
    | RawAny
    | { readonly name: string; readonly version: string; readonly resource: RawAny }
  )[];
  readonly removed_resources?: readonly string[];
};

/** A response, cut to what tests speak of. */
export type Reply = {
  readonly kind: ResourceKind;
  readonly nonce: string;
  /** Of the whole response. */
  readonly version: string;
  /** Content by name, see xds-protocol-server.ts; the same name twice is `twice`. */
  readonly resources: Readonly<Record<string, string>>;
  /** Versions by name; delta only. */
  readonly versions: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
};

type Decoded = {
  name?: string;
  cluster_name?: string;
  alt_stat_name?: string;
  stat_prefix?: string;
  route_configuration_name?: string;
  internal_only_headers?: string[];
  endpoints?: { locality?: { zone?: string } }[];
};

/** Name and mark of a resource, read as a stranger would. */
const read = ({ type_url, value }: RawAny): readonly [string, string] => {
  const message = findMessageType(typeNameOf(type_url) ?? '').decode(value) as unknown as Decoded;
  const mark =
    message.alt_stat_name ||
    message.stat_prefix ||
    message.route_configuration_name ||
    message.internal_only_headers?.[0] ||
    message.endpoints?.[0]?.locality?.zone;
  return [message.name || message.cluster_name || '', mark ?? ''];
};

const contentOf = (raw: RawResponse): Pick<Reply, 'resources' | 'versions'> => {
  // Maps, because a resource may be called `__proto__`.
  const resources = new Map<string, string>();
  const versions = new Map<string, string>();
  for (const entry of raw.resources) {
    const [name, mark] = read('resource' in entry ? entry.resource : entry);
    if ('resource' in entry && entry.name !== name) throw new Error(`${name} travels as ${entry.name}`);
    if ('resource' in entry) versions.set(name, entry.version);
    resources.set(name, resources.has(name) ? 'twice' : mark);
  }
  return { resources: Object.fromEntries(resources), versions: Object.fromEntries(versions) };
};

const replyOf = (raw: RawResponse): Reply => {
  const kind = findKind(raw.type_url);
  if (kind === undefined) throw new Error(`a response of kind ${raw.type_url}`);
  const version = raw.version_info ?? raw.system_version_info ?? '';
  return { kind, nonce: raw.nonce, version, removed: raw.removed_resources ?? [], ...contentOf(raw) };
};

const METHODS = { delta: 'DeltaAggregatedResources', sotw: 'StreamAggregatedResources' } as const;
const definition = loadService('envoy.service.discovery.v3.AggregatedDiscoveryService');

/** How long something that must come may take, milliseconds. */
const PATIENCE_MS = 15_000;

export class XdsClient {
  readonly protocol: Protocol;
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<RawRequest, RawResponse>;
  readonly #replies: Reply[] = [];
  readonly #names = new Map<ResourceKind, readonly string[]>();
  readonly #nonces = new Map<ResourceKind, string>();
  #wake: () => void = () => undefined;
  #failure: ServiceError | undefined;
  #ended = false;
  #said = 0;
  readonly #node: WireNode;

  /** @param tls required for an address with peers. */
  constructor(address: Address, protocol: Protocol, node: WireNode = { id: 'client' }, tls?: InternalTls) {
    this.protocol = protocol;
    this.#node = node;
    const dial = dialOptions(address, tls);
    this.#client = new Client(grpcTarget(address), dial.credentials, {
      ...dial.options,
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
    const method = definition[METHODS[protocol]];
    if (method === undefined) throw new Error('no such method');
    this.#stream = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize as (value: RawRequest) => Buffer,
      method.responseDeserialize as (bytes: Buffer) => RawResponse,
    );
    this.#stream.on('data', (raw: RawResponse) => {
      this.#replies.push(replyOf(raw));
      this.#wake();
    });
    this.#stream.on('error', (error: ServiceError) => {
      this.#failure = error;
      this.#wake();
    });
    this.#stream.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Messages sent so far. */
  get said(): number {
    return this.#said;
  }

  /** Any message at all; the node goes with the first. */
  raw(request: RawRequest): void {
    this.#stream.write(this.#said === 0 ? { node: this.#node, ...request } : request);
    this.#said += 1;
  }

  say(kind: ResourceKind, request: RawRequest = {}): void {
    this.raw({ type_url: TYPE_URLS[kind], ...request });
  }

  /** No names: the request that names nothing. `held`: versions of an earlier connection. */
  subscribe(
    kind: ResourceKind,
    names: readonly string[] = [],
    held: Readonly<Record<string, string>> = {},
  ): void {
    this.#names.set(kind, [...(this.#names.get(kind) ?? []), ...names]);
    if (this.protocol === 'delta')
      this.say(kind, { resource_names_subscribe: names, initial_resource_versions: held });
    else this.#repeat(kind);
  }

  /** Subscribes as a client that has taken `held` on an earlier connection. */
  resume(kind: ResourceKind, names: readonly string[], held: Pick<Reply, 'version' | 'versions'>): void {
    this.#names.set(kind, names);
    if (this.protocol === 'delta') this.subscribe(kind, names, held.versions);
    else this.#repeat(kind, { version_info: held.version });
  }

  unsubscribe(kind: ResourceKind, names: readonly string[]): void {
    const before = this.#names.get(kind) ?? [];
    this.#names.set(
      kind,
      before.filter((name) => !names.includes(name)),
    );
    if (this.protocol === 'delta') this.say(kind, { resource_names_unsubscribe: names });
    else this.#repeat(kind);
  }

  ack({ kind, nonce, version }: Reply): void {
    this.#nonces.set(kind, nonce);
    if (this.protocol === 'delta') this.say(kind, { response_nonce: nonce });
    else this.#repeat(kind, { version_info: version });
  }

  nack({ kind, nonce }: Reply, message = 'no'): void {
    this.#nonces.set(kind, nonce);
    const error_detail = { code: 13, message };
    if (this.protocol === 'delta') this.say(kind, { response_nonce: nonce, error_detail });
    else this.#repeat(kind, { error_detail });
  }

  /** The next response, answered by nobody yet. */
  async next(): Promise<Reply> {
    await this.#waitFor('a response', () => this.#replies.length > 0 || this.#failure !== undefined);
    const reply = this.#replies.shift();
    if (reply === undefined) throw this.#failure ?? new Error('the stream ended');
    return reply;
  }

  /** The next response, which must be of this kind, acknowledged. */
  async take(kind: ResourceKind): Promise<Reply> {
    const reply = await this.next();
    if (reply.kind !== kind) throw new Error(`expected ${kind}, got ${JSON.stringify(reply)}`);
    this.ack(reply);
    return reply;
  }

  /** What has come and was not taken. */
  drain(): readonly Reply[] {
    return this.#replies.splice(0);
  }

  /** Says that it has nothing more to say, and gives all that was told and not taken: the proof of a silence. */
  async finish(): Promise<readonly Reply[]> {
    this.#stream.end();
    await this.#waitFor('the end', () => this.#ended || this.#failure !== undefined);
    this.close();
    if (this.#failure !== undefined) throw this.#failure;
    return this.#replies.splice(0);
  }

  /** Waits for the server to end the stream with an error. */
  async failure(): Promise<{ readonly code: number; readonly details: string }> {
    await this.#waitFor('an error', () => this.#failure !== undefined);
    return { code: this.#failure?.code ?? 0, details: this.#failure?.details ?? '' };
  }

  /** Takes nothing more from the wire. */
  stopReading(): void {
    this.#stream.pause();
  }

  readOn(): void {
    this.#stream.resume();
  }

  /** Goes without a word. */
  close(): void {
    this.#stream.on('error', () => undefined);
    this.#stream.cancel();
    this.#client.close();
  }

  #repeat(kind: ResourceKind, rest: RawRequest = {}): void {
    const names = this.#names.get(kind) ?? [];
    const nonce = this.#nonces.get(kind) ?? '';
    this.say(kind, { resource_names: names, response_nonce: nonce, ...rest });
  }

  #waitFor(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS);
      this.#wake = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#wake();
    });
  }
}
