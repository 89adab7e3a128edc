// Long lists in pages. What has names is listed by name and goes on `after` one; what is numbered is listed newest
// first and goes on `before` one. Where it goes on stands in Link, so nobody has to build an address.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';

const MAX_LIMIT = 1_000;

/** The query of a list by name. Without `limit` it is whole. */
export const listQuery = (filters: Readonly<Record<string, TSchema>> = {}) =>
  Type.Object(
    {
      ...filters,
      after: Type.Optional(
        Type.String({ minLength: 1, maxLength: 64, description: 'Names that sort after this one.' }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: 'Absent: the whole list.' }),
      ),
    },
    { additionalProperties: false },
  );

/** `next`: the parameter that leads to the next page, if there is one. */
export type ListPage<T> = { readonly items: readonly T[]; readonly next?: Readonly<Record<string, string>> };

/**
 * One page of a list by name.
 * @param items sorted by `nameOf`.
 */
export const pageByName = <T>(
  items: readonly T[],
  request: FastifyRequest,
  nameOf: (item: T) => string,
): ListPage<T> => {
  const { after = '', limit = items.length } = request.query as {
    readonly after?: string;
    readonly limit?: number;
  };
  const rest = items.filter((item) => nameOf(item) > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return rest.length > page.length && last !== undefined
    ? { items: page, next: { after: nameOf(last) } }
    : { items: page };
};

/**
 * One page of a list by number.
 * @param load gives entries newest first, at most as many as it is asked for.
 */
export const pageByNumber = async <T>(
  limit: number,
  load: (limit: number) => Promise<readonly T[]>,
  numberOf: (item: T) => number,
): Promise<ListPage<T>> => {
  const found = await load(limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return found.length > limit && last !== undefined
    ? { items: page, next: { before: String(numberOf(last)) } }
    : { items: page };
};

/** Says where the list goes on, with the filters and the limit it was asked with. */
export const linkNext = (reply: FastifyReply, { next }: ListPage<unknown>): void => {
  if (next === undefined) return;
  // The origin is not used: RFC 8288 §3.1 takes the reference relative to the address that was asked.
  const url = new URL(reply.request.url, 'http://registry.invalid');
  for (const [name, value] of Object.entries(next)) url.searchParams.set(name, value);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
};
