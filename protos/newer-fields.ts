// Fields of Envoy 1.40 that the npm package of its protos is too old for and that cannot travel as TypedStruct, because
// they stand in a resource itself and not in an extension. Numbers are those of Envoy's own descriptors; a test has the
// real Envoy say what it made of them (test/integration/xds-hardening.test.ts).

import protobuf from 'protobufjs';

type NewerField = {
  /** Full name of the message it belongs to. */
  readonly message: string;
  readonly name: string;
  readonly number: number;
  readonly type: string;
};

const NEWER_FIELDS: readonly NewerField[] = [
  {
    message: 'envoy.config.listener.v3.Listener',
    name: 'per_connection_buffer_high_watermark_timeout',
    number: 38,
    type: 'google.protobuf.Duration',
  },
  {
    message: 'envoy.config.core.v3.Http2ProtocolOptions',
    name: 'stream_reset_burst',
    number: 21,
    type: 'google.protobuf.UInt64Value',
  },
  {
    message: 'envoy.config.core.v3.Http2ProtocolOptions',
    name: 'stream_reset_rate',
    number: 22,
    type: 'google.protobuf.UInt64Value',
  },
];

/** Declares them in `root`, where the loaded protos do not: those of a newer package win. */
export const declareNewerFields = (root: protobuf.Root): void => {
  for (const { message, name, number, type } of NEWER_FIELDS) {
    const target = root.lookupType(message);
    if (target.get(name) !== null) continue;
    const field = new protobuf.Field(name, number, type);
    target.add(field);
    field.resolve();
  }
};
