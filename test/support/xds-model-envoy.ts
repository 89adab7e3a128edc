// An Envoy reduced to what the xDS protocol demands of it: it keeps what it is told, asks for the endpoints of its
// clusters and the routes of its scopes, refuses what it is made to refuse, and complains where the order was broken.

import { forEachKind, isWildcardKind, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { Resource, ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import type { Heard, Protocol, Told } from '#xds-server/stream/conversation.ts';
import { WILDCARD } from '#xds-server/stream/subscription.ts';

/** A resource for the model. Of routes, `needs` lists the clusters they lead to, separated by spaces. */
export const modelResource = (
  name: string,
  version: string,
  facts: Partial<Pick<Resource, 'tenantId' | 'needs' | 'isPlaceholder'>> = {},
): Resource => ({
  name,
  version,
  any: { type_url: '', value: Buffer.alloc(0) },
  isPlaceholder: false,
  ...facts,
});

export const modelSnapshot = (
  sequence: number,
  kinds: Partial<Record<ResourceKind, readonly Resource[]>>,
): ResourceSnapshot => ({
  sequence,
  kinds: forEachKind((kind) => new Map((kinds[kind] ?? []).map((resource) => [resource.name, resource]))),
});

const ask = (
  kind: ResourceKind,
  subscribe: readonly string[],
  held: Readonly<Record<string, string>> = {},
): Heard => ({ kind, nonce: '', ask: { subscribe, unsubscribe: [], held } });

const NOTHING_ASKED = { subscribe: [], unsubscribe: [], held: {} };

/** Named kinds and what they follow from. */
const FOLLOWED = { endpoint: 'cluster', route: 'scope' } as const;

export class ModelEnvoy {
  readonly has = forEachKind(() => new Map<string, Resource>());
  readonly complaints: string[] = [];
  readonly #named = { endpoint: new Set<string>(), route: new Set<string>() };
  readonly #refuses: (resource: Resource) => boolean;
  readonly #protocol: Protocol;
  #answers: Heard[] = [];
  #running = false;
  readonly #warming = new Set<string>();

  constructor(refuses: (resource: Resource) => boolean = () => false, protocol: Protocol = 'delta') {
    this.#refuses = refuses;
    this.#protocol = protocol;
  }

  /** First messages of a new connection, claiming what is held from an earlier one. */
  connect(): Heard[] {
    const held = (kind: ResourceKind) =>
      Object.fromEntries([...this.has[kind]].map(([name, { version }]) => [name, version]));
    const wildcards = (['cluster', 'listener', 'scope'] as const).map((kind) =>
      ask(kind, [WILDCARD], held(kind)),
    );
    const named = (['endpoint', 'route'] as const).flatMap((kind) =>
      this.#named[kind].size === 0 ? [] : [ask(kind, [...this.#named[kind]], held(kind))],
    );
    return [...wildcards, ...named];
  }

  /** Takes a response and says what Envoy would: its answer, and what it asks for next. */
  hear(told: Told): Heard[] {
    const { kind, nonce } = told;
    const bad = told.resources.filter(this.#refuses);
    for (const resource of told.resources) if (!bad.includes(resource)) this.#take(kind, resource);
    for (const name of this.#goneWith(told)) this.#drop(kind, name);
    const named = bad.map(({ name }) => name).join(', ');
    const answer: Heard = { kind, nonce, ask: NOTHING_ASKED };
    this.#answers.push(bad.length === 0 ? answer : { ...answer, refusal: `bad: ${named}` });
    const followUps = this.#followUps();
    return [...this.#releaseAnswers(), ...followUps];
  }

  /** As measured on Envoy 1.40: once it runs, it does not answer for clusters while one of them is cold. */
  #releaseAnswers(): Heard[] {
    const isWithheld = ({ kind }: Heard): boolean =>
      kind === 'cluster' && this.#running && this.#warming.size > 0;
    this.#running ||= this.has.listener.size > 0;
    const released = this.#answers.filter((answer) => !isWithheld(answer));
    this.#answers = this.#answers.filter(isWithheld);
    return released;
  }

  /** In the state of the world, what a response does not repeat is gone. */
  #goneWith({ kind, resources, removed }: Told): readonly string[] {
    if (this.#protocol === 'delta' || !isWildcardKind(kind)) return removed;
    const present = new Set(resources.map(({ name }) => name));
    return [...this.has[kind].keys()].filter((name) => !present.has(name));
  }

  #take(kind: ResourceKind, resource: Resource): void {
    const before = this.has[kind].get(resource.name);
    if (kind === 'cluster' && before?.version !== resource.version) this.#warming.add(resource.name);
    if (kind === 'endpoint') this.#warming.delete(resource.name);
    if (kind === 'route') this.#judgeRoutes(resource);
    this.has[kind].set(resource.name, resource);
  }

  #drop(kind: ResourceKind, name: string): void {
    if (kind === 'cluster') {
      this.#judgeRemoval(name);
      this.#warming.delete(name);
    }
    this.has[kind].delete(name);
  }

  #clustersOf(routes: Resource): string[] {
    return (routes.needs ?? '').split(' ').filter((name) => name !== '');
  }

  /** Routes to clusters that are not there, or have no endpoints yet, answer 503. */
  #judgeRoutes(routes: Resource): void {
    for (const cluster of this.#clustersOf(routes)) {
      if (!this.has.cluster.has(cluster)) this.complaints.push(`route to missing ${cluster}`);
      else if (this.#warming.has(cluster)) this.complaints.push(`route to cold ${cluster}`);
    }
  }

  #judgeRemoval(cluster: string): void {
    for (const routes of this.has.route.values())
      if (this.#clustersOf(routes).includes(cluster))
        this.complaints.push(`${cluster} removed while routed to`);
  }

  #followUps(): Heard[] {
    return (['endpoint', 'route'] as const).flatMap((kind) => {
      const source = [...this.has[FOLLOWED[kind]].values()];
      const wanted = new Set(
        source.flatMap(({ name, needs }) => (kind === 'endpoint' ? name : (needs ?? []))),
      );
      const before = this.#named[kind];
      const subscribe = [...wanted].filter((name) => !before.has(name));
      const unsubscribe = [...before].filter((name) => !wanted.has(name));
      this.#named[kind] = wanted;
      for (const name of unsubscribe) this.has[kind].delete(name);
      const changed = subscribe.length > 0 || unsubscribe.length > 0;
      return changed ? [{ kind, nonce: '', ask: { subscribe, unsubscribe, held: {} } }] : [];
    });
  }
}
