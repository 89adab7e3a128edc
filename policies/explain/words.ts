// An explanation in words, a screen of them at most. Names from the call are quoted: they are not ours. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { Change } from '#policies/explain/changes.ts';
import type { Explanation } from '#policies/explain/explain-call.ts';
import type { AskedCall } from '#policies/explain/read-call.ts';

const quote = (value: Json | undefined): string => JSON.stringify(value ?? null);

const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const subject = ({ kind, id, issuerId }: JsonObject): string =>
  `${String(kind)} ${quote(id)}${issuerId === undefined ? '' : ` of issuer ${quote(issuerId)}`}`;

const grantWords = (grant: JsonObject, subjects: readonly JsonObject[]): string => {
  const named = ['tools', 'prompts', 'resources'].flatMap((member) => {
    const names = list(grant[member]);
    return names.length === 0 ? [] : [`${member} ${quote(names)}`];
  });
  const what = named.length === 0 ? '' : ` with ${named.join(', ')}`;
  const whom = subjects.slice(0, 5).map(subject).join(', or ');
  return `a grant on server ${quote(grant['serverId'])}${what} for ${whom}`;
};

const limitWords = (limit: JsonObject, value: Json): string => {
  const { name, pointer, exceptGroups, tool: _tool, ...bound } = limit;
  const except = list(exceptGroups).length === 0 ? '' : `, or membership in one of ${quote(exceptGroups)}`;
  return `${quote(pointer)} within ${quote(bound)} instead of ${quote(value)} (constraint ${quote(name)})${except}`;
};

const changeWords = (change: Change, place: (file: string, line: number) => string): string => {
  switch (change.kind) {
    case 'grant':
      return grantWords(change.grant, change.subjects);
    case 'pin':
      return `a version of server ${quote(change.server)} that pins tool ${quote(change.tool)}; ${change.version} does not`;
    case 'scopes':
      return `scopes ${quote(change.scopes)} in the token`;
    case 'limit':
      return limitWords(change.limit, change.value);
    case 'rule':
      return `constraint ${quote(change.constraint)} not to hold: ${place(change.file, change.line)}`;
  }
};

const summary = (decision: JsonObject | undefined): string => {
  if (decision === undefined) return 'policy_failed: the policy has no answer';
  if (decision['allow'] !== true) return `refused: ${String(decision['reason'])}`;
  const { obligations } = decision;
  return Object.keys(object(obligations)).length === 0 ? 'allowed' : `allowed, with ${quote(obligations)}`;
};

const callLine = ({ input }: AskedCall): string => {
  const [identity, server, call] = [input['identity'], input['server'], input['call']].map(object);
  const who = `${identity?.['kind']} ${quote(identity?.['oid'] ?? identity?.['subject'])}`;
  const names = list(call?.['targets']).map((target) => quote(object(target)['name']));
  const what = [String(call?.['method'] ?? call?.['kind']), ...names].join(' ');
  return `${who} of ${quote(identity?.['issuerId'])} (${identity?.['relation']}): ${what} on ${quote(server?.['id'])} ${server?.['version']}`;
};

/** @param place a rule's place as a person would write it. */
export const explanationWords = (
  call: AskedCall,
  { decision, decidedBy, changes, allowedThen }: Explanation,
  place: (file: string, line: number) => string,
): string => {
  const because = list(decision?.['explain']).map((item) => `  ${String(item)}`);
  const rules = decidedBy.map(({ path, adds, file, line }) => {
    const name = adds === undefined ? path : `${path} ${quote(adds)}`;
    return `  ${name}  ${place(file, line)}`;
  });
  const then = allowedThen ? 'it would be allowed with' : 'what would have to change, as far as can be said';
  const section = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [title, ...lines]);
  return [
    summary(decision),
    `  ${callLine(call)}`,
    ...section('because of', because),
    ...section('rules that held', rules),
    ...section(
      then,
      changes.map((change, index) => `  ${index + 1}. ${changeWords(change, place)}`),
    ),
    ...section(
      'not in the record, so judged as absent',
      call.hidden.map((pointer) => `  ${pointer}`),
    ),
  ].join('\n');
};
