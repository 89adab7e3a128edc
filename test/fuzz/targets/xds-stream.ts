// One Envoy's side of ADS under a client that asks, gives up, acknowledges, refuses, is silent and comes back as it likes,
// while publications go on. The model in test/support behaves as Envoy does; this one as nobody does. It must be told
// nothing it did not ask for, and once it behaves it must have exactly what it asks for.

import fc from 'fast-check';
import { asJson, demand, type Target } from '#test/fuzz/target.ts';
import { modelResource, modelSnapshot } from '#test/support/xds-model-envoy.ts';
import { forEachKind, isWildcardKind, RESOURCE_KINDS, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import {
  type Conversation,
  hear,
  isWaiting,
  loseHope,
  openConversation,
  proceed,
  retarget,
  type Told,
} from '#xds-server/stream/conversation.ts';

const NAMES = ['a', 'b', 'c'];
const kind = fc.constantFrom(...RESOURCE_KINDS);
const name = fc.constantFrom(...NAMES);
const names = fc.uniqueArray(name, { maxLength: 3 });

const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('publish'), kind, name, version: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask'), kind, subscribe: names, unsubscribe: names }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('acknowledge') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refuse'), name }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('answer-nothing'),
      kind,
      nonce: fc.constantFrom('0', 'x', '9999'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect'), claims: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('silence') }) },
);

type Operation = {
  readonly do: string;
  readonly kind?: ResourceKind;
  readonly name?: string;
  readonly version?: number;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly nonce?: string;
  readonly claims?: boolean;
};

const NOTHING = { subscribe: [], unsubscribe: [], held: {} };

/** A dialogue may take some turns a resource; one that takes more does not end. */
const MAX_TURNS = 500;

class Client {
  conversation: Conversation = openConversation('delta');
  readonly has = forEachKind(() => new Map<string, string>());
  readonly asked = forEachKind(() => new Set<string>());
  readonly #nonces = new Set<string>();
  #world = forEachKind(() => new Map<string, string>());
  #sequence = 0;
  #outstanding: Told[] = [];
  #connections = 0;

  constructor() {
    for (const each of RESOURCE_KINDS) if (isWildcardKind(each)) this.asked[each].add('*');
    this.connect(false);
  }

  connect(claims: boolean): void {
    this.#connections += 1;
    this.conversation = openConversation('delta', `${this.#connections}-`);
    this.#outstanding = [];
    if (!claims) for (const each of RESOURCE_KINDS) this.has[each].clear();
    for (const each of RESOURCE_KINDS) {
      if (this.asked[each].size === 0) continue;
      const ask = {
        subscribe: [...this.asked[each]],
        unsubscribe: [],
        held: Object.fromEntries(this.has[each]),
      };
      this.conversation = hear(this.conversation, { kind: each, nonce: '', ask });
    }
    if (this.#sequence > 0) this.conversation = retarget(this.conversation, this.snapshot());
  }

  snapshot(): ResourceSnapshot {
    const resources = (each: ResourceKind) =>
      [...this.#world[each]].map(([key, version]) => modelResource(key, version));
    return modelSnapshot(this.#sequence, forEachKind(resources));
  }

  /** @param version of nothing takes it away. */
  publish(each: ResourceKind, key: string, version: string | undefined): void {
    if (version === undefined) this.#world[each].delete(key);
    else this.#world[each].set(key, version);
    this.#sequence += 1;
    this.conversation = retarget(this.conversation, this.snapshot());
  }

  /** Everything gets a version that nobody has refused. */
  renew(): void {
    for (const each of RESOURCE_KINDS)
      for (const key of this.#world[each].keys()) this.#world[each].set(key, 'last');
    this.#sequence += 1;
    this.conversation = retarget(this.conversation, this.snapshot());
  }

  ask(each: ResourceKind, subscribe: readonly string[], given: readonly string[]): void {
    const unsubscribe = given.filter((key) => !subscribe.includes(key));
    for (const key of subscribe) this.asked[each].add(key);
    for (const key of unsubscribe) {
      this.asked[each].delete(key);
      if (!this.isAsked(each, key)) this.has[each].delete(key);
    }
    this.conversation = hear(this.conversation, {
      kind: each,
      nonce: '',
      ask: { ...NOTHING, subscribe, unsubscribe },
    });
  }

  isAsked(each: ResourceKind, key: string): boolean {
    return this.asked[each].has('*') || this.asked[each].has(key);
  }

  /** Answers the oldest response there is: a stream keeps its order. */
  answer(refusedName?: string): void {
    const told = this.#outstanding.shift();
    if (told === undefined) return;
    const refusal = refusedName === undefined ? {} : { refusal: `bad: ${refusedName}` };
    this.#take(told, refusedName);
    this.conversation = hear(this.conversation, {
      kind: told.kind,
      nonce: told.nonce,
      ask: NOTHING,
      ...refusal,
    });
  }

  /** What is refused is not taken, the rest is, as Envoy does it; a refusal that names nothing is of all. Nobody refuses to let go. */
  #take(told: Told, refusedName: string | undefined): void {
    const names = told.resources.map((resource) => resource.name);
    const refusesAll = refusedName !== undefined && !names.includes(refusedName);
    const takes = (key: string): boolean => key !== refusedName && !refusesAll;
    for (const key of told.removed) this.has[told.kind].delete(key);
    for (const { name: key, version } of told.resources)
      if (takes(key) && this.isAsked(told.kind, key)) this.has[told.kind].set(key, version);
  }

  /** Takes what the server has to say; false where that is nothing. */
  listen(): boolean {
    const { conversation, told } = proceed(this.conversation);
    this.conversation = conversation;
    for (const each of told) this.#judge(each);
    this.#outstanding.push(...told);
    return told.length > 0;
  }

  #judge({ kind: each, nonce, resources }: Told): void {
    demand(!this.#nonces.has(nonce), `nonce ${nonce} twice`);
    this.#nonces.add(nonce);
    for (const { name: key, version } of resources) {
      demand(this.isAsked(each, key), `told ${each} ${key}, which nobody asked for`);
      demand(this.#world[each].get(key) === version, `told ${each} ${key} ${version}, which there is not`);
    }
  }

  /** From here on the client behaves. */
  settle(): void {
    for (let turns = 0; turns < MAX_TURNS; turns += 1) {
      const heard = this.listen();
      if (this.#outstanding.length > 0) this.answer();
      else if (!heard && isWaiting(this.conversation) && !this.conversation.impatient)
        this.conversation = loseHope(this.conversation);
      else if (!heard) return;
    }
    throw new Error('the dialogue does not end');
  }

  demandAgreement(): void {
    for (const each of RESOURCE_KINDS) {
      const wanted = [...this.#world[each]].filter(([key]) => this.isAsked(each, key)).toSorted();
      const held = [...this.has[each]].toSorted();
      demand(
        JSON.stringify(wanted) === JSON.stringify(held),
        `${each}: has ${JSON.stringify(held)}, asked for ${JSON.stringify(wanted)}`,
      );
    }
  }
}

const perform = (client: Client, operation: Operation): void => {
  const { kind: each = 'cluster', name: key = 'a' } = operation;
  if (operation.do === 'publish')
    client.publish(each, key, operation.version === 0 ? undefined : String(operation.version));
  else if (operation.do === 'ask') client.ask(each, operation.subscribe ?? [], operation.unsubscribe ?? []);
  else if (operation.do === 'acknowledge') client.answer();
  else if (operation.do === 'refuse') client.answer(key);
  else if (operation.do === 'reconnect') client.connect(operation.claims === true);
  else if (operation.do === 'silence') client.conversation = loseHope(client.conversation);
  else
    client.conversation = hear(client.conversation, {
      kind: each,
      nonce: operation.nonce ?? '',
      ask: NOTHING,
    });
};

export const xdsStream: Target = {
  name: 'xds-stream',
  shortRuns: 1_000,
  inputs: (corpus) => {
    const sequences = asJson(fc.array(operation, { maxLength: 40 }));
    return corpus.length === 0
      ? sequences
      : fc.oneof({ weight: 9, arbitrary: sequences }, { weight: 1, arbitrary: fc.constantFrom(...corpus) });
  },
  holds: (bytes) => {
    const client = new Client();
    for (const each of JSON.parse(bytes.toString('utf8')) as Operation[]) {
      perform(client, each);
      client.listen();
    }
    client.renew();
    client.settle();
    client.demandAgreement();
  },
};
