// The project's own TypeScript sources and what each imports, read as text: enough to prove who depends on whom.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export type SourceFile = {
  /** Path from the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Imports of our own files, as paths from the root. */
  readonly imports: readonly string[];
  /** Imports of Node's modules and of packages, as written. */
  readonly packages: readonly string[];
};

const root = resolve(import.meta.dirname, '../..');
const FOLDERS = [
  'core',
  'runtime',
  'protos',
  'registry',
  'xds-server',
  'ext-authz',
  'ext-proc',
  'oauth-facade',
  'policies',
  'envoy',
  'provision',
  'demo',
  'test',
];
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'/g;

const specifiersOf = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');

const isOwn = (specifier: string): boolean => specifier.startsWith('#') || specifier.startsWith('.');

const resolveOwn = (path: string, specifier: string): string =>
  specifier.startsWith('#') ? specifier.slice(1) : relative(root, resolve(root, dirname(path), specifier));

const read = (path: string): SourceFile => {
  const text = readFileSync(join(root, path), 'utf8');
  const specifiers = specifiersOf(text);
  return {
    path,
    text,
    imports: specifiers.filter(isOwn).map((specifier) => resolveOwn(path, specifier)),
    packages: specifiers.filter((specifier) => !isOwn(specifier)),
  };
};

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

/** Every .ts file of the project; tests only when asked for. */
export const sourceFiles = (options: { readonly tests: boolean }): readonly SourceFile[] =>
  FOLDERS.flatMap(filesBelow)
    .filter((path) => options.tests || !(path.startsWith('test/') || path.endsWith('.test.ts')))
    .map(read);
