// Which records of the past a list is to show: by whom, when, of what. Reads the query; the store looks them up.

import { Type } from 'typebox';
import { RequestFaults } from '#registry/api/error-handler.ts';
import type { RecordFilter } from '#registry/store/store.ts';

const Moment = Type.String({
  format: 'date-time',
});

export const RECORD_FILTERS = {
  actor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 4_096, description: 'Who did it, as the record names him.' }),
  ),
  since: Type.Optional(Type.Unsafe<string>({ ...Moment, description: 'From this time on (RFC 3339).' })),
  until: Type.Optional(Type.Unsafe<string>({ ...Moment, description: 'Before this time (RFC 3339).' })),
};

export const ResourceFilter = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'What was changed: `servers/tracker` is the server and its versions.',
});

export const ActionFilter = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'What the action begins with, e.g. `restore`.',
});

/** Records have their times in UTC to the millisecond; what is compared with them must have that form too. */
export const readTimes = <T extends RecordFilter>(filter: T): T => {
  const read = (name: 'since' | 'until') => {
    const text = filter[name];
    if (text === undefined) return {};
    const milliseconds = Date.parse(text);
    if (Number.isNaN(milliseconds))
      throw new RequestFaults([{ in: 'query', pointer: `/${name}`, message: 'is no time of any day' }]);
    return { [name]: new Date(milliseconds).toISOString() };
  };
  return { ...filter, ...read('since'), ...read('until') };
};
