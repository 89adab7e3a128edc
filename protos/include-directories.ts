// Where .proto files are found: Envoy's API and what it imports, as the package @grpc/grpc-js-xds carries them
// (about Envoy 1.30; what is newer travels as TypedStruct), and our own in this folder.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const packageDirectory = dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json'));

export const INCLUDE_DIRECTORIES: readonly string[] = [
  ...['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((name) =>
    join(packageDirectory, 'deps', name),
  ),
  import.meta.dirname,
];
