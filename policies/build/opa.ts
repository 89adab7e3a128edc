// The OPA binary as a function: arguments in, standard output out. It is needed to build and test policies only;
// a running gateway never calls it.

import { execFile } from 'node:child_process';
import { GatewayError } from '#core/gateway-error.ts';

/** Largest output read, bytes: the syntax tree of a policy, or a full test report. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export type Opa = (args: readonly string[], options?: { readonly directory?: string }) => Promise<string>;

const complaint = (binary: string, code: unknown, output: string): string =>
  code === 'ENOENT'
    ? `no OPA at "${binary}": set OPA_BIN to the opa 1.22.2 binary`
    : `opa failed:\n${output.trim()}`;

/**
 * Runs the OPA at `binary` without a shell.
 * @throws GatewayError `policy_failed` with what OPA said, if it is not there or ends with another status than 0.
 */
export const createOpa =
  (binary: string): Opa =>
  (args, { directory } = {}) =>
    new Promise((resolve, reject) => {
      const options = { maxBuffer: MAX_OUTPUT_BYTES, ...(directory === undefined ? {} : { cwd: directory }) };
      execFile(binary, args, options, (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const message = complaint(binary, error.code, `${stderr}\n${stdout}`);
        return reject(new GatewayError('policy_failed', message, { cause: error }));
      });
    });

/** The version of the binary, e.g. `1.22.2`. */
export const readOpaVersion = async (opa: Opa): Promise<string> =>
  /^Version: (\S+)$/m.exec(await opa(['version']))?.[1] ?? 'unknown';
