// The shape of a kill switch (core/kill-switch.ts). Whether what it names exists is judged when it is thrown.

import { Type } from 'typebox';
import { SWITCH_KINDS } from '#core/kill-switch.ts';
import { Id, Moment, ShortText, ToolName } from '#registry/feed/schema/words.ts';

const Principal = Type.String({ minLength: 1, maxLength: 2_048 });

/** No blanks around it: a name that was pasted with one would stop nobody. */
const CallerId = Type.String({ pattern: '^\\S(.*\\S)?$', maxLength: 256 });

const closed = { additionalProperties: false };

const SwitchTargetSchema = Type.Union([
  Type.Object({ kind: Type.Literal('tenant') }, closed),
  Type.Object({ kind: Type.Literal('server'), serverId: Id }, closed),
  Type.Object({ kind: Type.Literal('tool'), serverId: Id, tool: ToolName }, closed),
  Type.Object({ kind: Type.Literal('principal'), principal: Principal }, closed),
  Type.Object({ kind: Type.Literal('principal'), id: CallerId, issuerId: Type.Optional(Id) }, closed),
  Type.Object({ kind: Type.Literal('application'), clientId: CallerId, issuerId: Type.Optional(Id) }, closed),
]);

/** A target as it is sent: which fields go with which kind is judged by the command, which can say it in a sentence. */
export const SentTargetSchema = Type.Object(
  {
    kind: Type.Enum([...SWITCH_KINDS]),
    serverId: Type.Optional(Id),
    tool: Type.Optional(ToolName),
    principal: Type.Optional(Principal),
    id: Type.Optional(CallerId),
    clientId: Type.Optional(CallerId),
    issuerId: Type.Optional(Id),
  },
  {
    ...closed,
    description:
      'tenant: nothing more. server: serverId. tool: serverId, tool. principal: principal as the decision log shows it; or id (object id or subject) and, if wanted, issuerId. application: clientId and, if wanted, issuerId.',
  },
);

export const SWITCH_FIELDS = {
  until: Type.Optional(Moment),
  note: Type.Optional(ShortText),
};

/** A stored kill switch. */
export const KillSwitchSchema = Type.Object({ id: Id, target: SwitchTargetSchema, ...SWITCH_FIELDS }, closed);
