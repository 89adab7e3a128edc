// Stands in for Cosmos DB, which cannot be had without its emulator's container image: the few operations shared state uses,
// as the REST documentation has them, and strict where the service is. It was never compared with the service itself.

import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

type Document = {
  readonly id: string;
  readonly ttl?: number;
  readonly _etag: string;
  readonly _ts: number;
  readonly [field: string]: unknown;
};

type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

export type CosmosServer = {
  readonly endpoint: string;
  readonly database: string;
  readonly container: string;
  key(): string;
  /** The account's key is another from now on. */
  changeKey(): string;
  /** The next so many requests find no units left. */
  throttle(requests: number): void;
  /** Method, kind of resource and status of what was asked so far. */
  requests(): readonly string[];
  /** Documents that are there, also those whose time to live is over. */
  count(): number;
  stop(): Promise<void>;
};

const [DATABASE, CONTAINER] = ['mcpgw', 'shared-state'];
const ROOT = `dbs/${DATABASE}/colls/${CONTAINER}`;
const MAX_CLOCK_SKEW_MS = 15 * 60_000;
const MAX_ID_CHARACTERS = 255;
const MAX_BYTES = 2 * 1024 * 1024;
const THROTTLE_MS = 20;
const OWNED = 'SELECT c.id, c._etag FROM c WHERE c.owner = @owner';

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Type and link of a request's resource, which are what its signature is for (Access control in the REST API). */
const resourceOf = (path: string, method: string): readonly [type: string, link: string] => {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return ['', ''];
  const isFeed = parts.length % 2 === 1;
  const type = isFeed ? parts.at(-1) : parts.at(-2);
  if (isFeed && method === 'PUT') throw new Refused(405, 'a feed is not replaced');
  return [type ?? '', (isFeed ? parts.slice(0, -1) : parts).map(decodeURIComponent).join('/')];
};

const assertSigned = (request: IncomingMessage, path: string, key: string): void => {
  const date = String(request.headers['x-ms-date'] ?? '');
  if (!(Math.abs(Date.parse(date) - Date.now()) < MAX_CLOCK_SKEW_MS)) throw new Refused(403, 'x-ms-date');
  const method = request.method ?? '';
  const text = `${[method, ...resourceOf(path, method), date]
    .map((part, index) => (index === 2 ? part : part.toLowerCase()))
    .join('\n')}\n\n`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  const expected = Buffer.from(`type=master&ver=1.0&sig=${signature}`);
  const given = Buffer.from(decodeURIComponent(request.headers.authorization ?? ''));
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Refused(401, 'the input authorization token cannot serve the request');
};

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length > MAX_BYTES) throw new Refused(413, 'the document is larger than 2 MB');
  return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
};

const isSet = (request: IncomingMessage, header: string): boolean =>
  String(request.headers[header] ?? '').toLowerCase() === 'true';

/** The partition a request names, which the document's own must be. */
const assertPartition = (request: IncomingMessage, id: string): void => {
  if (request.headers['x-ms-documentdb-partitionkey'] !== JSON.stringify([id]))
    throw new Refused(400, 'the partition key is not that of the document');
};

const assertDocument = (document: Record<string, unknown>): void => {
  const { id, ttl } = document;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_CHARACTERS || /[/\\?#]| $/.test(id))
    throw new Refused(400, 'the id is no id');
  if (ttl !== undefined && ttl !== -1 && !(Number.isInteger(ttl) && Number(ttl) > 0))
    throw new Refused(400, 'the time to live is no time to live');
};

const createStore = (timeToLive: boolean) => {
  const documents = new Map<string, Document>();
  const find = (id: string): Document | undefined => {
    const found = documents.get(id);
    const isOver = found?.ttl !== undefined && Math.floor(Date.now() / 1_000) > found._ts + found.ttl;
    return isOver ? undefined : found;
  };
  const keep = (content: Record<string, unknown>): Document => {
    const stamps = { _etag: `"${randomUUID()}"`, _ts: Math.floor(Date.now() / 1_000) };
    const document = { ...content, ...stamps, id: String(content['id']) };
    documents.set(document.id, document);
    return document;
  };
  const container = {
    id: CONTAINER,
    _rid: 'c',
    _self: 'c',
    partitionKey: { paths: ['/id'], kind: 'Hash', version: 2 },
    ...(timeToLive ? { defaultTtl: -1 } : {}),
  };
  return { container, documents, find, keep };
};

type Store = ReturnType<typeof createStore>;

const answerWith = (status: number, document: Document): Answer => ({
  status,
  body: document,
  headers: { etag: document._etag },
});

const write = (request: IncomingMessage, content: Record<string, unknown>, store: Store): Answer => {
  assertDocument(content);
  const id = String(content['id']);
  assertPartition(request, id);
  const isThere = store.find(id) !== undefined;
  if (isThere && !isSet(request, 'x-ms-documentdb-is-upsert'))
    throw new Refused(409, 'a document with this id exists');
  return answerWith(isThere ? 200 : 201, store.keep(content));
};

const query = (request: IncomingMessage, content: Record<string, unknown>, store: Store): Answer => {
  if (request.headers['content-type'] !== 'application/query+json')
    throw new Refused(400, 'the content type is not that of a query');
  if (!isSet(request, 'x-ms-documentdb-query-enablecrosspartition'))
    throw new Refused(400, 'a query over partitions has to say so');
  if (content['query'] !== OWNED) throw new Refused(400, `a query that is not known: ${content['query']}`);
  const [parameter] = content['parameters'] as { name: string; value: unknown }[];
  if (parameter?.name !== '@owner') throw new Refused(400, 'the parameter is missing');
  const matching = [...store.documents.values()].filter(
    ({ id, owner }) => owner === parameter.value && store.find(id) !== undefined,
  );
  const from = Number(request.headers['x-ms-continuation'] ?? 0);
  const size = Number(request.headers['x-ms-max-item-count'] ?? 100);
  const page = matching.slice(from, from + size).map(({ id, _etag }) => ({ id, _etag }));
  const more: Record<string, string> =
    matching.length > from + size ? { 'x-ms-continuation': String(from + size) } : {};
  return {
    status: 200,
    body: { _rid: 'c', Documents: page, _count: page.length },
    headers: { ...more, 'x-ms-item-count': String(page.length) },
  };
};

const one = async (request: IncomingMessage, id: string, store: Store): Promise<Answer> => {
  assertPartition(request, id);
  const found = store.find(id);
  if (found === undefined) throw new Refused(404, 'there is no such document');
  const condition = request.headers['if-match'];
  if (condition !== undefined && condition !== found._etag && condition !== '*')
    throw new Refused(412, 'the document has changed');
  if (request.method === 'GET') return answerWith(200, found);
  if (request.method === 'DELETE') {
    store.documents.delete(id);
    return { status: 204 };
  }
  const content = await bodyOf(request);
  assertDocument(content);
  if (content['id'] !== id) throw new Refused(400, 'the id is that of another document');
  // The document may have changed while the body came in.
  if (condition !== undefined && store.find(id)?._etag !== condition)
    throw new Refused(412, 'the document has changed');
  return answerWith(200, store.keep(content));
};

/** Of a filter that every partition can answer by itself. */
const QUERY_PLAN = {
  partitionedQueryExecutionInfoVersion: 2,
  queryInfo: {
    distinctType: 'None',
    top: null,
    offset: null,
    limit: null,
    orderBy: [],
    orderByExpressions: [],
    groupByExpressions: [],
    groupByAliases: [],
    aggregates: [],
    groupByAliasToAggregateType: {},
    rewrittenQuery: '',
    hasSelectValue: false,
  },
  queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
};

const post = async (request: IncomingMessage, store: Store): Promise<Answer> => {
  const content = await bodyOf(request);
  if (isSet(request, 'x-ms-cosmos-is-query-plan-request')) return { status: 200, body: QUERY_PLAN };
  return isSet(request, 'x-ms-documentdb-isquery')
    ? query(request, content, store)
    : write(request, content, store);
};

const answer = async (request: IncomingMessage, path: string, store: Store): Promise<Answer> => {
  if (request.headers['x-ms-version'] === undefined) throw new Refused(400, 'x-ms-version');
  const asked = `${request.method} ${path}`;
  if (asked === `GET /${ROOT}`) return { status: 200, body: store.container };
  if (asked === `POST /${ROOT}/docs`) return post(request, store);
  const [, id] = new RegExp(`^(?:GET|PUT|DELETE) /${ROOT}/docs/([^/]+)$`).exec(asked) ?? [];
  if (id === undefined) throw new Refused(404, `nothing is known of ${asked}`);
  return one(request, decodeURIComponent(id), store);
};

/** Starts it with one container; `timeToLive: false`: as somebody made it who had not read what it needs. */
export const startCosmosServer = async ({ timeToLive = true } = {}): Promise<CosmosServer> => {
  const store = createStore(timeToLive);
  const requests: string[] = [];
  const newKey = (): string => randomBytes(64).toString('base64');
  let key = newKey();
  let throttled = 0;
  const judge = async (request: IncomingMessage): Promise<Answer> => {
    const path = new URL(request.url ?? '', 'http://cosmos').pathname;
    try {
      assertSigned(request, path, key);
      if (throttled > 0) {
        throttled -= 1;
        return {
          status: 429,
          body: { message: 'too many' },
          headers: { 'x-ms-retry-after-ms': `${THROTTLE_MS}` },
        };
      }
      return await answer(request, path, store);
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      return { status: thrown.status, body: { code: String(thrown.status), message: thrown.message } };
    }
  };
  const server = createServer((request, response) => {
    void judge(request).then(({ status, body, headers }) => {
      const path = (request.url ?? '').replace(`/${ROOT}`, '');
      requests.push(`${request.method} ${path.split('/')[1] ?? 'container'} ${status}`);
      const all = { 'content-type': 'application/json', 'x-ms-activity-id': randomUUID(), ...headers };
      response.writeHead(status, all);
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    database: DATABASE,
    container: CONTAINER,
    key: () => key,
    changeKey: () => {
      key = newKey();
      return key;
    },
    throttle: (count) => {
      throttled = count;
    },
    requests: () => requests,
    count: () => store.documents.size,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
