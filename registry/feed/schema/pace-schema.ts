// Where the limits of one version stand at one xds-server (core/pace.ts), as it is reported and shown.

import { Type } from 'typebox';
import { Id, VersionName } from '#registry/feed/schema/words.ts';

const closed = { additionalProperties: false };
const Milliseconds = Type.Integer({ minimum: 0 });

export const PACE_FIELDS = {
  version: VersionName,
  pace: Type.Object(
    {
      timeoutMs: Type.Optional(Milliseconds),
      retries: Type.Optional(Type.Integer({ minimum: 0 })),
      budgetPercent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
      backoffMs: Type.Optional(Milliseconds),
    },
    { ...closed, description: 'What is in force of the bounds in `adaptive`.' },
  ),
  lastMove: Type.Optional(
    Type.Object(
      {
        at: Type.String({ format: 'date-time' }),
        attempts: Type.Integer({ minimum: 0, description: 'Seen within the window.' }),
        errorRate: Type.Number({ minimum: 0, maximum: 1, description: 'Share of them that failed.' }),
        p99Ms: Type.Optional(
          Type.Number({
            minimum: 0,
            description: '99 of 100 answers began within this. Absent: none was timed, or it is beyond 65 s.',
          }),
        ),
      },
      {
        ...closed,
        description: 'The move that led there, and what it was moved by. Absent: it is where it began.',
      },
    ),
  ),
};

/** As an xds-server reports it. */
export const VersionPaceSchema = Type.Object({ tenantId: Id, serverId: Id, ...PACE_FIELDS }, closed);
