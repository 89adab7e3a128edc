// What ext-authz reads from the environment.

import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import {
  type Environment,
  facadePublicUrl,
  flag,
  gatewayPublicUrl,
  integer,
  list,
  localAddress,
  readConfig,
  sessionMaxAgeSeconds,
  socketDefault,
  stateDirectory,
  text,
} from '#runtime/config.ts';
import { decisionProcess, decisionProcesses, decisionProcessName } from '#runtime/decision-processes.ts';
import { SHARED_STATE_VARIABLES } from '#runtime/shared-state/open.ts';
import { dialledAddress, servedAddress } from '#runtime/tls/tls-address.ts';

const variablesOf = (name: string) => ({
  address: servedAddress('EXT_AUTHZ_ADDRESS', socketDefault(name)),
  opsAddress: localAddress('EXT_AUTHZ_OPS_ADDRESS', socketDefault(`${name}-ops`)),
  feedAddress: dialledAddress('REGISTRY_FEED_ADDRESS', socketDefault('registry-feed')),
  publicUrl: gatewayPublicUrl,
  facadeUrl: facadePublicUrl,
  egressAllowPrivate: flag('EGRESS_ALLOW_PRIVATE', 'false'),
  egressAllowedHosts: list('EGRESS_ALLOWED_HOSTS', ''),
  /** Manifest of the policy; the module lies beside it. */
  policyBundle: text('POLICY_BUNDLE', DEFAULT_BUNDLE),
  /** A file for every evaluation of a policy, in OPA's format; empty: none. */
  policyDecisionLog: text('POLICY_DECISION_LOG', ''),
  /** What is left out of it: a file of masks; empty: ext-authz/decision-log/mask.ts. */
  policyDecisionLogMask: text('POLICY_DECISION_LOG_MASK', ''),
  /** Size at which the file becomes the one before, MiB. */
  policyDecisionLogMib: integer(1, 65_536)('POLICY_DECISION_LOG_MIB', '64'),
  /** Files named by `OboApplication.secretName`; those of a tenant other than the default in a directory of its id. */
  secretsDirectory: text('SECRETS_DIRECTORY', join(process.cwd(), '.local', 'secrets')),
  stateDirectory,
  sessionMaxAgeSeconds,
  /** What this process shares with others of its kind, and where. */
  ...SHARED_STATE_VARIABLES,
  decisionProcesses,
});

export type ExtAuthzConfiguration = ReturnType<typeof readConfiguration>;

/** @throws GatewayError `config_invalid` naming every fault. */
export const readConfiguration = (environment?: Environment) => {
  const processName = processNameIn(environment);
  const configuration = readConfig(variablesOf(processName), environment);
  // A proof that was used with one process could be used with the next, and each would make its own exchanges.
  if (configuration.decisionProcesses > 1 && configuration.sharedState === 'memory')
    throw new GatewayError(
      'config_invalid',
      'DECISION_PROCESSES above 1 needs a SHARED_STATE that they share: redis, sql or cosmos',
    );
  return { ...configuration, processName };
};

/** What this process is called; the first one as if there were no others. */
export const processNameIn = (environment?: Environment): string =>
  decisionProcessName(readConfig({ number: decisionProcess }, environment).number);
