// The one table of MCP methods: in which era each exists, what it reaches for, which list it returns.
// A method that is not here is refused, extensions (`tasks/*`) included: nobody would judge what it reaches for.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import type { McpListKind, McpTarget, ProtocolEra } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';

/** What params reach for, or the path of the member that is not valid. */
export type TargetsResult = Result<readonly McpTarget[], string>;

export type MethodRow = {
  readonly eras: readonly ProtocolEra[];
  readonly kind: 'request' | 'notification';
  readonly list?: McpListKind;
  /** The member of params that `Mcp-Name` mirrors (MCP 2026-07-28, Standard Request Headers). */
  readonly mirrored?: 'name' | 'uri';
  readonly targets: (params: JsonObject) => TargetsResult;
  /** It only reads, so a second run does no harm. What opens, subscribes or sets something is not of that kind. */
  readonly reads?: true;
};

const MAX_NAME_CHARACTERS = 256;
const MAX_URI_CHARACTERS = 8192;

const isName = (value: Json | undefined, maxCharacters: number): value is string =>
  typeof value === 'string' && value !== '' && value.length <= maxCharacters && !/\p{Cc}/u.test(value);

const none = (): TargetsResult => ok([]);

const named =
  (kind: 'tool' | 'prompt') =>
  (params: JsonObject): TargetsResult => {
    const { name, arguments: args } = params as { name?: Json; arguments?: Json };
    if (!isName(name, MAX_NAME_CHARACTERS)) return err('params.name');
    return args === undefined || isJsonObject(args) ? ok([{ kind, name }]) : err('params.arguments');
  };

const resource = ({ uri }: JsonObject): TargetsResult =>
  isName(uri, MAX_URI_CHARACTERS) ? ok([{ kind: 'resource', name: uri }]) : err('params.uri');

const opening = ({ protocolVersion }: JsonObject): TargetsResult =>
  isName(protocolVersion, 64) ? ok([]) : err('params.protocolVersion');

/** `completion/complete` asks a prompt's or a resource template's author for values: it reveals both. */
const reference = ({ ref }: JsonObject): TargetsResult => {
  if (!isJsonObject(ref)) return err('params.ref');
  const variant = findKeyVariant(ref, ['type', 'name', 'uri']);
  if (variant !== undefined) return err(`params.ref.${variant}`);
  const { type, name, uri } = ref as { type?: Json; name?: Json; uri?: Json };
  if (type === 'ref/prompt')
    return isName(name, MAX_NAME_CHARACTERS) ? ok([{ kind: 'prompt', name }]) : err('params.ref.name');
  if (type !== 'ref/resource') return err('params.ref.type');
  return isName(uri, MAX_URI_CHARACTERS) ? ok([{ kind: 'resource', name: uri }]) : err('params.ref.uri');
};

const SUBSCRIPTIONS = 'resourceSubscriptions';

/** URIs a `subscriptions/listen` wants to hear of; no header mirrors them. */
const subscriptions = ({ notifications }: JsonObject): TargetsResult => {
  if (!isJsonObject(notifications)) return err('params.notifications');
  const variant = findKeyVariant(notifications, [SUBSCRIPTIONS]);
  if (variant !== undefined) return err(`params.notifications.${variant}`);
  const uris: unknown = notifications[SUBSCRIPTIONS] ?? [];
  if (!Array.isArray(uris) || !uris.every((uri: Json) => isName(uri, MAX_URI_CHARACTERS)))
    return err(`params.notifications.${SUBSCRIPTIONS}`);
  return ok((uris as string[]).map((name) => ({ kind: 'resource', name })));
};

const LEGACY = ['legacy'] as const;
const STATELESS = ['stateless'] as const;
const BOTH = ['legacy', 'stateless'] as const;

const request = (eras: readonly ProtocolEra[], targets: MethodRow['targets'] = none): MethodRow => ({
  eras,
  kind: 'request',
  targets,
});
const reading = (row: MethodRow): MethodRow => ({ ...row, reads: true });
const list = (kind: McpListKind): MethodRow => reading({ ...request(BOTH), list: kind });
const notification = (eras: readonly ProtocolEra[]): MethodRow => ({
  eras,
  kind: 'notification',
  targets: none,
});

const METHODS: ReadonlyMap<string, MethodRow> = new Map([
  ['initialize', request(LEGACY, opening)],
  ['ping', reading(request(LEGACY))],
  ['server/discover', reading(request(STATELESS))],
  ['tools/list', list('tools')],
  ['tools/call', { ...request(BOTH, named('tool')), mirrored: 'name' }],
  ['resources/list', list('resources')],
  ['resources/templates/list', list('resourceTemplates')],
  ['resources/read', reading({ ...request(BOTH, resource), mirrored: 'uri' })],
  ['resources/subscribe', request(LEGACY, resource)],
  ['resources/unsubscribe', request(LEGACY, resource)],
  ['prompts/list', list('prompts')],
  ['prompts/get', reading({ ...request(BOTH, named('prompt')), mirrored: 'name' })],
  ['completion/complete', reading(request(BOTH, reference))],
  ['logging/setLevel', request(LEGACY)],
  ['subscriptions/listen', request(STATELESS, subscriptions)],
  ['notifications/initialized', notification(LEGACY)],
  ['notifications/roots/list_changed', notification(LEGACY)],
  ['notifications/cancelled', notification(BOTH)],
  ['notifications/progress', notification(BOTH)],
]);

/** The row of a method in an era; undefined if that era does not know it. */
export const findMethod = (method: string, era: ProtocolEra): MethodRow | undefined => {
  const row = METHODS.get(method);
  return row?.eras.includes(era) === true ? row : undefined;
};

/** Members of params that are read here or mirrored in headers: none of them may be written in a second way. */
export const JUDGED_PARAMS: readonly string[] = [
  'name',
  'uri',
  'arguments',
  'ref',
  'notifications',
  'protocolVersion',
  '_meta',
  'taskId',
  'requestState',
  'inputResponses',
];
