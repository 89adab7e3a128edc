// The Rust crate mcp-proxy, which benchmarks compare the gateway with: the one you name, or the pinned one, built by
// cargo. It takes many minutes, so nothing but the long benchmark asks for it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '#provision/command.mjs';
import { downloadFault, ProvisionFault } from '#provision/fault.mjs';
import { createFolderWhole, measureMegabytes } from '#provision/folder.mjs';
import { findVersion, isAtLeast } from '#provision/version.mjs';

const otherwise = ({ versions }) => `set MCP_PROXY_BIN to an mcp-proxy ${versions.mcpProxy.pinned}`;

const toolFolder = ({ root, versions }) => join(root, '.tools', `mcp-proxy-${versions.mcpProxy.pinned}`);

/**
 * An mcp-proxy that is there already, or undefined.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<{ binary: string, origin: string } | undefined>}
 */
export const findMcpProxy = async (context) => {
  const { env } = context;
  if (env.MCP_PROXY_BIN) {
    if (existsSync(env.MCP_PROXY_BIN)) return { binary: env.MCP_PROXY_BIN, origin: 'MCP_PROXY_BIN' };
    throw new ProvisionFault(`MCP_PROXY_BIN=${env.MCP_PROXY_BIN} is not there`, 'Correct it or unset it');
  }
  const binary = join(toolFolder(context), 'bin', 'mcp-proxy');
  return existsSync(binary) ? { binary, origin: '.tools' } : undefined;
};

/** Names what is missing before anything is downloaded. @param {import('#provision/context.mjs').Context} context */
export const checkCargo = async (context) => {
  const { env, versions } = context;
  const remedy = `Install Rust from https://rustup.rs, or ${otherwise(context)}`;
  const needed = `it builds the peer mcp-proxy ${versions.mcpProxy.pinned}`;
  if (findOnPath('cargo', env) === undefined)
    throw new ProvisionFault(`cargo is missing (${needed})`, remedy);
  const version = findVersion((await run('cargo', ['--version'], { env })).output);
  if (version === undefined || !isAtLeast(version, versions.runner.cargo))
    throw new ProvisionFault(
      `cargo ${versions.runner.cargo} or newer is needed (${needed}), this is ${version ?? 'unknown'}`,
      remedy,
    );
};

/**
 * Finds mcp-proxy or builds it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionMcpProxy = async (context) => {
  const { env, progress, versions } = context;
  const { pinned, crate, megabytes } = versions.mcpProxy;
  const label = `mcp-proxy ${pinned}`;
  const found = await findMcpProxy(context);
  if (found !== undefined) {
    progress.cached(label, found.origin);
    return found.binary;
  }
  const folder = toolFolder(context);
  await progress.step(label, `about ${megabytes} MB, built by cargo, once; many minutes`, async () => {
    await createFolderWhole(folder, async (temporary) => {
      const args = ['install', '--locked', '--root', temporary, `${crate}@${pinned}`];
      const { code, output } = await run('cargo', args, { env });
      if (code !== 0) throw downloadFault(label, output, otherwise(context));
    });
    return `${measureMegabytes(folder)} MB`;
  });
  return join(folder, 'bin', 'mcp-proxy');
};
