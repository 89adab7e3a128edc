// What `?wait=applied` adds to the schema of a write: two parameters, two headers, 202 and a refusal of its own.

import { type TObject, type TSchema, Type } from 'typebox';
import { PROBLEM_MEDIA_TYPE, ProblemSchema } from '#registry/api/problem.ts';
import { REJECTION_FIELDS } from '#registry/api/rollout/rejection.ts';

const MAX_WAIT_SECONDS = 30;
const DEFAULT_WAIT_SECONDS = 10;

/** Requests of a tenant that wait at one registry. Each keeps a connection, and reads the store at every report and 4 times a second. */
export const MAX_WAITING = 32;

export type WaitQuery = { readonly wait?: 'applied'; readonly waitSeconds?: number };

/** How long a request wants to wait, milliseconds; undefined if it does not. */
export const waitMs = ({ wait, waitSeconds = DEFAULT_WAIT_SECONDS }: WaitQuery): number | undefined =>
  wait === 'applied' ? waitSeconds * 1_000 : undefined;

const QUERY = {
  wait: Type.Optional(
    Type.Enum(['applied'], {
      description:
        'Answer once every consumer of the feed and every Envoy has the change (then `Rollout-State: applied`), or 202 when the time is up. What an Envoy refuses is taken back: 409 `rollout-rejected`.',
    }),
  ),
  waitSeconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_WAIT_SECONDS,
      description: `How long to wait; ${DEFAULT_WAIT_SECONDS} if it is not said.`,
    }),
  ),
};

const HEADERS = {
  'Rollout-State': {
    type: 'string',
    description: '`applied`, `pending` or `rejected`; only where it was waited for.',
  },
  Link: { type: 'string', description: '`<…>; rel="status"` (RFC 8631): the rollout; as above.' },
};

type Answer = TSchema & {
  readonly type?: string;
  readonly description?: string;
  readonly headers?: object;
  readonly content?: Readonly<Record<string, { readonly schema: TSchema }>>;
};

type Responses = Readonly<Record<string, Answer>>;

const withHeaders = (answer: Answer): Answer => {
  const headers = { ...answer.headers, ...HEADERS };
  if (answer.content !== undefined || answer.type === 'null') return { ...answer, headers };
  return { description: 'OK', headers, content: { 'application/json': { schema: answer } } } as Answer;
};

const PENDING = `Committed, and not everywhere when the time was up; at once where ${MAX_WAITING} requests of the tenant wait already. The body is the usual one.`;

const isSuccess = (status: string): boolean => status.startsWith('2');

/** 202 has the body of whatever would have been answered without waiting. */
const pendingAnswer = (responses: Responses): Answer => {
  const usual = responses['200'] ?? responses['201'];
  const hasBody = usual !== undefined && responses['204'] === undefined;
  if (!hasBody) return Type.Null({ description: PENDING, headers: HEADERS }) as Answer;
  return { ...withHeaders(usual), description: PENDING } as Answer;
};

const refusedAnswer = (own: Answer | undefined) => {
  const schema = own?.content?.[PROBLEM_MEDIA_TYPE]?.schema as TObject | undefined;
  return {
    description: own?.description ?? 'Something stands against the change, or an Envoy refused it',
    headers: { ...own?.headers, ...HEADERS },
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: Type.Object({ ...(schema ?? ProblemSchema).properties, ...REJECTION_FIELDS }),
      },
    },
  };
};

/** The schema of a write that can be waited for. */
export const withWait = <T extends { readonly querystring?: TObject; readonly response: object }>(
  schema: T,
) => {
  const responses = schema.response as Responses;
  const answers = Object.entries(responses).map(
    ([status, answer]) => [status, isSuccess(status) ? withHeaders(answer) : answer] as const,
  );
  return {
    ...schema,
    querystring: Type.Object(
      { ...schema.querystring?.properties, ...QUERY },
      { additionalProperties: false },
    ),
    response: {
      ...Object.fromEntries(answers),
      202: pendingAnswer(responses),
      409: refusedAnswer(responses['409']),
    },
  };
};
