// Writes that were refused, put on record: who tried what. The first of a caller at a route is written at once; those
// that follow within the second are counted and written as one, so that a flood costs two records a second.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '#core/gateway-error.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { isDryRun } from '#registry/api/dry-run.ts';
import { paramsOf } from '#registry/api/request-facts.ts';
import type { RefusalRecord } from '#registry/store/store.ts';

const SECOND_MS = 1_000;

/** Callers at routes that are counted at once; whoever comes beyond is counted together, under no name. */
const MAX_COUNTED = 200;

/** Longest tenant id; what is longer is nobody's. */
const MAX_TENANT_CHARACTERS = 64;

const READS = ['GET', 'HEAD', 'OPTIONS'];

/** What a caller who is known may be refused with. Bad syntax (400) tells of a mistake and of no attempt. */
const RECORDED = [403, 404, 409, 412, 422, 428];

type Noted = { readonly first: RefusalRecord; more: number };

export type RefusalLog = {
  /** Resolves when the refusal is on record, or counted to be. Never rejects: what was refused stays refused. */
  note(refusal: RefusalRecord): Promise<void>;
  /** Writes what was counted. */
  flush(): Promise<void>;
};

export const createRefusalLog = ({ store, logger }: Pick<ApiContext, 'store' | 'logger'>): RefusalLog => {
  let counted = new Map<string, Noted>();
  const write = async (refusal: RefusalRecord): Promise<void> => {
    try {
      await store.recordRefusal(refusal);
    } catch (thrown) {
      logger.error({ code: refusal.code, error: GatewayError.from(thrown).message }, 'refusal not on record');
    }
  };
  const keyFor = ({ actor, action }: RefusalRecord): string => {
    const key = JSON.stringify([actor ?? null, action]);
    return counted.has(key) || counted.size < MAX_COUNTED ? key : '';
  };
  return {
    note: async (refusal) => {
      const key = keyFor(refusal);
      const known = counted.get(key);
      if (known === undefined) counted.set(key, { first: refusal, more: 0 });
      else known.more += 1;
      if (known === undefined) await write(refusal);
    },
    flush: async () => {
      const done = counted;
      counted = new Map();
      for (const [key, { first, more }] of done) {
        const last = key === '' ? { ...first, actor: undefined, tenantId: '', action: 'several' } : first;
        if (more > 0) await write({ ...last, count: more });
      }
    },
  };
};

/** Signed manifests come without a caller: each that is refused is of interest, unless it is only one too many. */
const isOfInterest = (request: FastifyRequest, status: number): boolean => {
  if (READS.includes(request.method) || isDryRun(request)) return false;
  if (request.routeOptions.config.rawBody === true) return status >= 400 && status < 500 && status !== 429;
  return request.principal !== null && RECORDED.includes(status);
};

const refusalOf = (request: FastifyRequest, status: number, nowMs: number): RefusalRecord => {
  const { tenant = '' } = paramsOf(request);
  return {
    actor: request.principal ?? undefined,
    tenantId: tenant.slice(0, MAX_TENANT_CHARACTERS),
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    at: new Date(nowMs).toISOString(),
    status,
    code: request.problemCode ?? '',
    count: 1,
  };
};

/** Installs the record of refusals. The answer waits for the first of a second. */
export const installRefusalLog = (app: FastifyInstance, context: ApiContext): void => {
  const log = createRefusalLog(context);
  const timer = setInterval(() => void log.flush(), SECOND_MS).unref();
  app.decorateRequest('principal', null);
  app.decorateRequest('problemCode', null);
  app.addHook('onSend', async (request, reply) => {
    if (isOfInterest(request, reply.statusCode))
      await log.note(refusalOf(request, reply.statusCode, context.nowMs()));
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await log.flush();
  });
};
