// Shared state in a container of Cosmos DB. Values are read and written by point operations; a lease is taken by creating its
// document, or by replacing one that is over if nobody else has; what a user owns is found by a query, which is rare.

import type { Container, ItemResponse, RequestOptions } from '@azure/cosmos';
import type { Result } from '#core/result.ts';
import { ok } from '#core/result.ts';
import type { Attempts } from '#runtime/shared-state/attempt.ts';
import {
  holderId,
  isOver,
  type LeaseDocument,
  leaseDocument,
  leaseId,
  ownerId,
  type ValueDocument,
  valueDocument,
  valueId,
} from '#runtime/shared-state/cosmos-document.ts';
import type { SharedFault, SharedState } from '#runtime/shared-state/shared-state.ts';

const [NOT_FOUND, CONFLICT, PRECONDITION_FAILED] = [404, 409, 412];

/** Owned documents that are asked for and removed at a time. */
const PAGE = 50;
/** What is written while an owner's entries are removed may go with them, up to this many pages. */
const MAX_PAGES = 2_000;

const OWNED = 'SELECT c.id, c._etag FROM c WHERE c.owner = @owner';

type Owned = { readonly id: string; readonly _etag: string };

export type CosmosParts = {
  /** The container as the key of the moment reaches it. */
  readonly container: () => Promise<Container>;
  readonly attempts: Attempts;
  readonly close: () => Promise<void>;
};

const isCode = (thrown: unknown, codes: readonly number[]): boolean =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown && codes.includes(Number(thrown.code));

/** True if it was done, false if the service said one of these. */
const unless = async (codes: readonly number[], work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work();
    return true;
  } catch (thrown) {
    if (isCode(thrown, codes)) return false;
    throw thrown;
  }
};

const ifMatch = (etag: string, signal: AbortSignal): RequestOptions => ({
  accessCondition: { type: 'IfMatch', condition: etag },
  abortSignal: signal,
});

type Found<T> = T & { readonly _etag: string; readonly _ts: number };

const find = async <T extends ValueDocument | LeaseDocument>(
  container: Container,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly document: Found<T>; readonly isOver: boolean } | undefined> => {
  const answer = (await container.item(id, id).read<T>({ abortSignal: signal })) as ItemResponse<T>;
  const document = answer.resource as Found<T> | undefined;
  if (document === undefined) return undefined;
  const { lifetimeMs, _ts: writtenAt } = document;
  return {
    document,
    isOver: isOver({ lifetimeMs, writtenAt }, answer.headers['date'] as string | undefined),
  };
};

const create = (container: Container, document: LeaseDocument, signal: AbortSignal): Promise<boolean> =>
  unless([CONFLICT], () => container.items.create(document, { abortSignal: signal }));

const takeLease = async (
  container: Container,
  document: LeaseDocument,
  signal: AbortSignal,
): Promise<boolean> => {
  if (await create(container, document, signal)) return true;
  const held = await find<LeaseDocument>(container, document.id, signal);
  // It was given back between the two questions.
  if (held === undefined) return create(container, document, signal);
  if (!held.isOver) return false;
  const { _etag: etag } = held.document;
  return unless([NOT_FOUND, PRECONDITION_FAILED], () =>
    container.item(document.id, document.id).replace(document, ifMatch(etag, signal)),
  );
};

/** By its ETag: what is another's by now stays. */
const removeAsFound = (container: Container, { id, _etag }: Owned, signal: AbortSignal): Promise<boolean> =>
  unless([NOT_FOUND, PRECONDITION_FAILED], () => container.item(id, id).delete(ifMatch(_etag, signal)));

const giveBack = async (
  container: Container,
  { key, holder }: { readonly key: string; readonly holder: string },
  signal: AbortSignal,
): Promise<void> => {
  const held = await find<LeaseDocument>(container, leaseId(key), signal);
  if (held?.document.holder === holderId(holder)) await removeAsFound(container, held.document, signal);
};

const findOwned = async (
  container: Container,
  owner: string,
  signal: AbortSignal,
): Promise<readonly Owned[]> => {
  const query = { query: OWNED, parameters: [{ name: '@owner', value: ownerId(owner) }] };
  const options = { maxItemCount: PAGE, abortSignal: signal };
  const found: Owned[] = [];
  const pages = container.items.query<Owned>(query, options);
  // A page may be empty while there are more: another partition has not been asked yet.
  while (found.length < PAGE && pages.hasMoreResults()) found.push(...(await pages.fetchNext()).resources);
  return found;
};

const createPurge = ({ attempts, container }: CosmosParts) => {
  const removePage = async (owner: string): Promise<Result<number, SharedFault>> => {
    const page = await attempts.run(async (signal) => findOwned(await container(), owner, signal));
    if (!page.ok) return page;
    const removals = await Promise.all(
      page.value.map((owned) =>
        attempts.run(async (signal) => removeAsFound(await container(), owned, signal)),
      ),
    );
    return removals.find((removal) => !removal.ok) ?? ok(page.value.length);
  };
  // Each question has the whole of the deadline: a purge is rare, and has to come to its end.
  return async (owner: string): Promise<Result<true, SharedFault>> => {
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const removed = await removePage(owner);
      if (!removed.ok) return removed;
      if (removed.value === 0) return ok(true);
    }
    return { ok: false, error: 'unavailable' };
  };
};

/** Shared state over a container whose partition key is `/id` and which has a time to live. */
export const createCosmosState = (parts: CosmosParts): SharedState => {
  const { attempts } = parts;
  let closed: Promise<void> | undefined;
  const ask = <T>(work: (container: Container, signal: AbortSignal) => Promise<T>) =>
    attempts.run(async (signal) => {
      const container = await parts.container();
      signal.throwIfAborted();
      return work(container, signal);
    });
  const change = (work: (container: Container, signal: AbortSignal) => Promise<unknown>) =>
    ask(async (container, signal) => {
      await work(container, signal);
      return true as const;
    });
  return {
    read: (key) =>
      ask(async (container, signal) => {
        const found = await find<ValueDocument>(container, valueId(key), signal);
        return found === undefined || found.isOver ? undefined : found.document.value;
      }),
    write: (key, entry) =>
      change((container, signal) =>
        container.items.upsert(valueDocument(key, entry), { abortSignal: signal }),
      ),
    remove: (key) =>
      change((container, signal) =>
        unless([NOT_FOUND], () => container.item(valueId(key), valueId(key)).delete({ abortSignal: signal })),
      ),
    removeOwned: createPurge(parts),
    claim: (key, lease) =>
      ask((container, signal) => takeLease(container, leaseDocument(key, lease), signal)),
    release: (key, holder) => change((container, signal) => giveBack(container, { key, holder }, signal)),
    stop: () => {
      attempts.close();
      closed ??= parts.close();
      return closed;
    },
  };
};
