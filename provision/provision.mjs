// Everything a command needs before it can run: what is missing is named at once, then fetched side by side.

import { join } from 'node:path';
import { findEnvoy, provisionEnvoy } from '#provision/envoy-binary.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { withInstallLock } from '#provision/install-lock.mjs';
import { findNode, provisionNode } from '#provision/node-binary.mjs';
import { checkGo, findOpa, provisionOpa } from '#provision/opa-binary.mjs';
import { arePackagesInstalled, checkNpm, provisionPackages } from '#provision/packages.mjs';
import { checkPython } from '#provision/python.mjs';

/** Parts a command can ask for beside npm packages and Node 24. */
export const PARTS = ['envoy', 'opa'];

/** Checks that would stop an installation half-way, all of them, so that one run names every fault. */
const findFaults = async (context, parts) => {
  const checks = [];
  if (!arePackagesInstalled(context.root)) checks.push(checkNpm(context));
  if (parts.includes('envoy'))
    checks.push(findEnvoy(context).then((found) => (found === undefined ? checkPython(context) : undefined)));
  if (parts.includes('opa'))
    checks.push(findOpa(context).then((found) => (found === undefined ? checkGo(context) : undefined)));
  const outcomes = await Promise.allSettled(checks);
  return outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason);
};

const isComplete = async (context, parts) =>
  arePackagesInstalled(context.root) &&
  (await findNode(context)) !== undefined &&
  (!parts.includes('envoy') || (await findEnvoy(context)) !== undefined) &&
  (!parts.includes('opa') || (await findOpa(context)) !== undefined);

const install = async (context, parts) => {
  const node = provisionPackages(context).then(() => provisionNode(context));
  const envoy = parts.includes('envoy') ? provisionEnvoy(context) : undefined;
  const opa = parts.includes('opa') ? provisionOpa(context) : undefined;
  // Wait for all before failing: an installation must not go on behind a message that says it ended.
  const outcomes = await Promise.allSettled([node, envoy, opa]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const [nodeBinary, envoyBinary, opaBinary] = outcomes.map((outcome) => outcome.value);
  return { nodeBinary, envoyBinary, opaBinary };
};

/**
 * Brings everything into place.
 * @param {import('#provision/context.mjs').Context} context
 * @param {readonly string[]} parts of `PARTS`
 * @returns {Promise<{ nodeBinary: string, envoyBinary?: string, opaBinary?: string }>}
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
