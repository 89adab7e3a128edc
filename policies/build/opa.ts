// The OPA binary as a function: arguments in, standard output out. It is needed to build and test policies only;
// a running gateway never calls it.

import { type ExecFileException, execFile } from 'node:child_process';
import { GatewayError } from '#core/gateway-error.ts';

/** Largest output read, bytes: the syntax tree of a policy, or a full test report. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export type OpaOptions = {
  readonly directory?: string;
  /** OPA's complaint is the answer: whatever its status, what it printed is returned, from stderr if stdout is empty. */
  readonly complaints?: boolean;
};

export type Opa = (args: readonly string[], options?: OpaOptions) => Promise<string>;

type Ended = { readonly binary: string; readonly stdout: string; readonly stderr: string };

const faultFrom = (error: ExecFileException, { binary, stdout, stderr }: Ended): GatewayError => {
  const message =
    error.code === 'ENOENT'
      ? `no OPA at "${binary}": set OPA_BIN to the opa 1.22.2 binary`
      : `opa failed:\n${`${stderr}\n${stdout}`.trim()}`;
  return new GatewayError('policy_failed', message, { cause: error });
};

/** What OPA printed, if its ending is an answer. */
const findAnswer = (
  error: ExecFileException | null,
  { stdout, stderr }: Ended,
  complaints: boolean,
): string | undefined => {
  if (error === null) return stdout;
  if (!complaints || typeof error.code !== 'number') return undefined;
  return stdout === '' ? stderr : stdout;
};

/**
 * Runs the OPA at `binary` without a shell.
 * @throws GatewayError `policy_failed` with what OPA said, if it is not there or ends with another status than 0.
 */
export const createOpa =
  (binary: string): Opa =>
  (args, { directory, complaints = false } = {}) =>
    new Promise((resolve, reject) => {
      const options = { maxBuffer: MAX_OUTPUT_BYTES, ...(directory === undefined ? {} : { cwd: directory }) };
      execFile(binary, args, options, (error, stdout, stderr) => {
        const ended = { binary, stdout, stderr };
        const answer = findAnswer(error, ended, complaints);
        if (answer !== undefined) resolve(answer);
        else if (error !== null) reject(faultFrom(error, ended));
      });
    });

/** The version of the binary, e.g. `1.22.2`. */
export const readOpaVersion = async (opa: Opa): Promise<string> =>
  /^Version: (\S+)$/m.exec(await opa(['version']))?.[1] ?? 'unknown';
