// Adds, replaces and removes publishers of signed manifests.

import type { Publisher } from '#core/publisher.ts';
import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem, withoutItem } from '#registry/commands/replace-by-id.ts';
import { publisherName } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/** Adds `publisher` or puts it in the place of the one with its id. */
export const putPublisher = (before: Tenant, publisher: Publisher): Outcome =>
  settle({
    before,
    after: { ...before, publishers: withItem(before.publishers, publisher) },
    resource: publisherName(publisher.id),
  });

/** Removes a publisher. What it published stays; its keys sign nothing more. */
export const removePublisher = (before: Tenant, id: string): Outcome =>
  before.publishers.some((publisher) => publisher.id === id)
    ? settle({
        before,
        after: { ...before, publishers: withoutItem(before.publishers, id) },
        resource: publisherName(id),
      })
    : err(notFound(`publisher ${id}`));
