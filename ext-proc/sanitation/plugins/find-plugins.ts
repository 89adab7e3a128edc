// The plug-ins that the operator names, by npm package or folder: where each lies, and what it says of itself. Nothing
// of a plug-in is run here. Whatever is wrong with one is said before anything starts: a gateway does not go half guarded.

import { readFile, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import {
  MEMBER,
  type PluginManifest,
  parsePluginManifest,
} from '#ext-proc/sanitation/plugins/plugin-manifest.ts';

export type Plugin = Omit<PluginManifest, 'entry'> & {
  /** Absolute, without symbolic links. */
  readonly folder: string;
  readonly entry: string;
};

/** npm's rule for names, without the old upper case. */
const PACKAGE_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

const isFolder = (named: string): boolean => isAbsolute(named) || /^\.{1,2}(\/|$)/.test(named);

const fault = (named: string, what: string): GatewayError =>
  new GatewayError('config_invalid', `EXT_PROC_PLUGINS: ${named}: ${what}`);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Looked for as Node does, but by the folder: a package need not export its `package.json`. */
const folderOfPackage = async (named: string, from: string): Promise<string | undefined> => {
  if (!PACKAGE_NAME.test(named)) throw fault(named, 'is neither the name of an npm package nor a path');
  const places = createRequire(join(from, 'package.json')).resolve.paths(named) ?? [];
  for (const place of places) if (await exists(join(place, named, 'package.json'))) return join(place, named);
  return undefined;
};

const folderOf = async (named: string, from: string): Promise<string> => {
  const folder = isFolder(named) ? resolve(from, named) : await folderOfPackage(named, from);
  if (folder === undefined) throw fault(named, `there is no such package below ${from}`);
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) throw fault(named, `there is no folder ${folder}`);
  // The star is a wildcard where the folder is named as the one place the plug-in may read.
  if (real.includes('*')) throw fault(named, `${real}: a folder with * in its path is not taken`);
  return real;
};

const entryOf = async (folder: string, entry: string): Promise<string | undefined> => {
  const real = await realpath(resolve(folder, entry)).catch(() => undefined);
  if (real === undefined || !(await stat(real)).isFile()) return undefined;
  const inside = relative(folder, real);
  return inside.startsWith(`..${sep}`) || isAbsolute(inside) ? undefined : real;
};

const findPlugin = async (named: string, from: string): Promise<Plugin> => {
  const folder = await folderOf(named, from);
  const file = join(folder, 'package.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw fault(named, `${file} cannot be read`);
  const manifest = parsePluginManifest(text);
  if (!manifest.ok) throw fault(named, `${file}: ${manifest.error}`);
  const entry = await entryOf(folder, manifest.value.entry);
  if (entry === undefined) throw fault(named, `${file}: ${MEMBER}/entry must be a file inside of ${folder}`);
  return { ...manifest.value, folder, entry };
};

/**
 * Finds every plug-in that is named.
 * @param named packages, and folders by paths that begin with `/`, `./` or `../`.
 * @param from the folder that packages and relative paths are looked for from.
 * @throws GatewayError `config_invalid` that names the entry, the file and the field.
 */
export const findPlugins = async (named: readonly string[], from: string): Promise<readonly Plugin[]> => {
  const plugins: Plugin[] = [];
  for (const one of named) {
    const plugin = await findPlugin(one, from);
    const twin = plugins.find(({ name }) => name === plugin.name);
    if (twin !== undefined)
      throw fault(
        one,
        `${join(plugin.folder, 'package.json')}: ${MEMBER}/name ${plugin.name} is the name of ${twin.folder} too`,
      );
    plugins.push(plugin);
  }
  return plugins;
};
