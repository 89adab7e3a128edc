// The calls of Microsoft Graph that the gateway makes, and which permission each takes.

import { isJsonObject, type Json } from '#core/json.ts';
import type { GraphPermission } from '#demo/directory.ts';
import { authoriseGraph } from '#demo/mini-entra/graph/authorise.ts';
import {
  type GraphAsker,
  type GraphParts,
  type GraphReply,
  type GraphRequest,
  graphRefusal,
} from '#demo/mini-entra/graph/desk.ts';
import { delta, memberGroups, person } from '#demo/mini-entra/graph/people.ts';
import { listSubscriptions, prolong, subscribe } from '#demo/mini-entra/graph/subscriptions.ts';

type Operation = {
  readonly method: string;
  readonly path: RegExp;
  readonly needs: readonly GraphPermission[];
  readonly answer: (
    parts: GraphParts,
    asker: GraphAsker,
    request: GraphRequest & { readonly id: string },
  ) => GraphReply | Promise<GraphReply>;
};

const OPERATIONS: readonly Operation[] = [
  {
    method: 'POST',
    path: /^\/users\/([^/]+)\/getMemberGroups$/,
    needs: ['User.ReadBasic.All', 'GroupMember.Read.All'],
    answer: (parts, asker, { id, text }) => memberGroups(parts, asker, { oid: id, text }),
  },
  { method: 'GET', path: /^\/users\/delta$/, needs: ['User.Read.All'], answer: delta },
  {
    method: 'GET',
    path: /^\/users\/([^/]+)$/,
    needs: ['User.Read.All'],
    answer: (parts, asker, { id, query }) => person(parts, asker, { oid: id, query }),
  },
  { method: 'GET', path: /^\/subscriptions$/, needs: ['User.Read.All'], answer: listSubscriptions },
  { method: 'POST', path: /^\/subscriptions$/, needs: ['User.Read.All'], answer: subscribe },
  { method: 'PATCH', path: /^\/subscriptions\/([^/]+)$/, needs: ['User.Read.All'], answer: prolong },
];

/** As many as one batch may hold. */
const MAX_BATCH = 20;

const answerOne = async (parts: GraphParts, request: GraphRequest): Promise<GraphReply> => {
  parts.graph.questions += 1;
  if (parts.graph.fault !== undefined) return parts.graph.fault;
  for (const { method, path, needs, answer } of OPERATIONS) {
    const match = method === request.method ? path.exec(request.path) : null;
    if (match === null) continue;
    const asker = await authoriseGraph(parts, request.authorization, needs);
    return asker.ok ? answer(parts, asker.value, { ...request, id: match[1] ?? '' }) : asker.error;
  }
  return graphRefusal(404, 'ResourceNotFound', 'There is no such thing here.');
};

const readBatch = (text: string): readonly Json[] | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    const requests = isJsonObject(body) ? body['requests'] : undefined;
    return Array.isArray(requests) && requests.length <= MAX_BATCH ? requests : undefined;
  } catch {
    return undefined;
  }
};

/** `POST /$batch`: each of its requests by itself, the last first: nobody may rely on their order. */
const answerBatch = async (parts: GraphParts, request: GraphRequest): Promise<GraphReply> => {
  const requests = readBatch(request.text);
  if (requests === undefined) return graphRefusal(400, 'BadRequest', 'Invalid batch payload format.');
  const responses = requests.filter(isJsonObject).map(async ({ id, method, url }) => {
    const target = new URL(String(url), parts.graphUrl());
    const { pathname: path, searchParams: query } = target;
    const { authorization } = request;
    const { status, body } = await answerOne(parts, {
      method: String(method),
      path,
      query,
      text: '',
      authorization,
    });
    return { id: id ?? null, status, body };
  });
  return { status: 200, body: { responses: (await Promise.all(responses)).reverse() } };
};

/** Answers a request below `/v1.0`. */
export const answerGraph = (parts: GraphParts, request: GraphRequest): Promise<GraphReply> =>
  request.method === 'POST' && request.path === '/$batch' && parts.graph.fault === undefined
    ? answerBatch(parts, request)
    : answerOne(parts, request);
