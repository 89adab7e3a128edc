// Change and lifecycle notifications of Microsoft Graph as they arrive, taken apart. Nothing of one is believed before its
// client state was. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

export type GraphNotification = {
  readonly clientState: string;
  /** The directory, lower case. */
  readonly tid: string;
  readonly news:
    | { readonly kind: 'updated' | 'deleted'; readonly oid: string }
    | { readonly kind: 'renew' | 'missed' };
};

/** As many as Graph sends at once, and some. */
const MAX_NOTIFICATIONS = 1_000;
const MAX_STATE_LENGTH = 128;

const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const WHOLE_GUID = new RegExp(`^${GUID}$`);
const USER = new RegExp(`^users/(${GUID})$`);

const lower = (value: Json | undefined): string => (typeof value === 'string' ? value.toLowerCase() : '');

/** A subscription that is gone is renewed like one that is in danger: whoever watches looks for it, and makes it anew. */
const LIFECYCLE: Readonly<Record<string, 'renew' | 'missed'>> = {
  reauthorizationRequired: 'renew',
  subscriptionRemoved: 'renew',
  missed: 'missed',
};

const newsOf = ({
  lifecycleEvent,
  changeType,
  resource,
}: JsonObject): GraphNotification['news'] | undefined => {
  if (typeof lifecycleEvent === 'string') {
    const kind = Object.hasOwn(LIFECYCLE, lifecycleEvent) ? LIFECYCLE[lifecycleEvent] : undefined;
    return kind === undefined ? undefined : { kind };
  }
  const oid = USER.exec(lower(resource))?.[1];
  if (oid === undefined || (changeType !== 'updated' && changeType !== 'deleted')) return undefined;
  return { kind: changeType, oid };
};

const readOne = (value: Json): GraphNotification | undefined => {
  if (!isJsonObject(value)) return undefined;
  const { clientState, subscriptionId } = value;
  const tid = lower(value['tenantId'] ?? value['organizationId']);
  const news = newsOf(value);
  if (typeof clientState !== 'string' || clientState.length > MAX_STATE_LENGTH) return undefined;
  if (typeof subscriptionId !== 'string' || !WHOLE_GUID.test(tid)) return undefined;
  return news === undefined ? undefined : { clientState, tid, news };
};

/** `undefined` stands for one that cannot be read; what is wrong with one says nothing of the others. */
export const parseNotifications = (
  text: string,
): Result<readonly (GraphNotification | undefined)[], 'unreadable'> => {
  try {
    const body = JSON.parse(text) as Json;
    const all = isJsonObject(body) ? body['value'] : undefined;
    return Array.isArray(all) && all.length <= MAX_NOTIFICATIONS ? ok(all.map(readOne)) : err('unreadable');
  } catch {
    return err('unreadable');
  }
};
