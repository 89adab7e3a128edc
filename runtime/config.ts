// The environment, read once, by name, validated together: every fault is named before anything starts.
// This is the only file that reads process.env.

import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { type Address, parseLocalAddress } from '#runtime/address.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** How one variable is read. `fallback` is the text used when it is absent or empty; without one it is required. */
export type Variable<T> = {
  readonly name: string;
  readonly fallback: string | undefined;
  /** `environment` is for what another variable decides. */
  readonly parse: (text: string, environment: Environment) => Result<T, string>;
};

type Values<Shape extends Record<string, Variable<unknown>>> = {
  readonly [Key in keyof Shape]: Shape[Key] extends Variable<infer T> ? T : never;
};

const variable =
  <T>(parse: (text: string) => Result<T, string>) =>
  (name: string, fallback?: string): Variable<T> => ({ name, fallback, parse });

const parseInteger =
  (minimum: number, maximum: number) =>
  (text: string): Result<number, string> => {
    const value = Number(text);
    return Number.isInteger(value) && value >= minimum && value <= maximum
      ? ok(value)
      : err(`expected a whole number from ${minimum} to ${maximum}`);
  };

const parseUrl = (text: string): Result<string, string> =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
    ? ok(text.replace(/\/$/, ''))
    : err('expected an absolute http or https URL');

const parseBoolean = (text: string): Result<boolean, string> =>
  text === 'true' || text === 'false' ? ok(text === 'true') : err('expected true or false');

export const text = variable((value) => ok(value));
export const port = variable(parseInteger(0, 65535));
export const url = variable(parseUrl);
export const flag = variable(parseBoolean);
/** An address of this machine: plain text is spoken there. */
export const localAddress = variable<Address>(parseLocalAddress);
export const directory = variable((value) =>
  isAbsolute(value) ? ok(value) : err('expected an absolute path'),
);
export const list = variable((value) =>
  ok(
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
);
/** The fallback of a variable that may be absent. */
export const NONE = 'none';

/** A URL that may hold a password, of one of these schemes; undefined for `none`. A fault does not repeat it. */
export const secretUrl = (...schemes: readonly string[]) =>
  variable<Secret | undefined>((value) => {
    if (value === NONE) return ok(undefined);
    return URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1))
      ? ok(new Secret(value))
      : err(`expected a URL that begins with ${schemes[0]}://`);
  });

/** One of a few words. */
export const choice = (...words: readonly string[]) =>
  variable((value) => (words.includes(value) ? ok(value) : err(`expected one of ${words.join(', ')}`)));
/** A whole number with its bounds, e.g. `integer(0, 16)('GATEWAY_TRUSTED_HOPS', '0')`. */
export const integer = (minimum: number, maximum: number) => variable(parseInteger(minimum, maximum));

/**
 * Reads every variable of `shape` from `environment`.
 * @throws GatewayError `config_invalid` that lists all faults, one line each; values are not repeated, they may be secrets.
 */
export const readConfig = <Shape extends Record<string, Variable<unknown>>>(
  shape: Shape,
  environment: Environment = process.env,
): Values<Shape> => {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, { name, fallback, parse }] of Object.entries(shape)) {
    const given = environment[name] || fallback;
    const parsed = given === undefined ? err('is required') : parse(given, environment);
    if (parsed.ok) values[key] = parsed.value;
    else faults.push(`${name}: ${parsed.error}`);
  }
  if (faults.length > 0)
    throw new GatewayError('config_invalid', `Configuration is not valid:\n  ${faults.join('\n  ')}`);
  return Object.freeze(values) as Values<Shape>;
};

/**
 * Directory of the Unix sockets when none is given: short, because a socket path has 103 bytes at most, per user
 * and per checkout, because two installations must not answer each other.
 */
export const defaultRuntimeDirectory = (projectDirectory: string = process.cwd()): string => {
  const digest = createHash('sha256').update(projectDirectory).digest('hex').slice(0, 10);
  return join(tmpdir(), `mcpgw-${userInfo().uid}-${digest}`);
};

/** Variables every service shares. */
export const runtimeDirectory = directory('MCPGW_RUNTIME_DIR', defaultRuntimeDirectory());
export const stateDirectory = directory('MCPGW_STATE_DIR', join(process.cwd(), '.local', 'state'));
export const logLevel = choice('debug', 'info', 'warn', 'error')('LOG_LEVEL', 'info');

/** The socket of a service in the default runtime directory, as text for an address variable. */
export const socketDefault = (service: string, environment: Environment = process.env): string =>
  `unix:${join(environment['MCPGW_RUNTIME_DIR'] || defaultRuntimeDirectory(), `${service}.sock`)}`;

/** From `initialize` to the last call of a session, in seconds; a week. Revocations are kept as long. */
export const sessionMaxAgeSeconds = integer(60, 366 * 24 * 3600)(
  'SESSION_MAX_AGE_SECONDS',
  String(7 * 24 * 3600),
);

/** TLS at the gateway's own listener; xds-server builds it, every Envoy has a certificate for it. */
export const gatewayTls = flag('GATEWAY_TLS', 'false');

/** Whether that listener asks clients for certificates; each Envoy has the authorities. */
export const gatewayClientCertificates = flag('GATEWAY_CLIENT_CERTIFICATES', 'false');

/** Absolute URL clients reach the gateway by: metadata and challenges are made from it, never from a request. */
export const gatewayPublicUrl = url(
  'GATEWAY_PUBLIC_URL',
  `${process.env['GATEWAY_TLS'] === 'true' ? 'https' : 'http'}://127.0.0.1:${process.env['GATEWAY_PORT'] || '8080'}`,
);

const parseOrigin = (text: string): Result<string | undefined, string> => {
  if (text === NONE) return ok(undefined);
  const parsed = parseUrl(text);
  if (!parsed.ok) return parsed;
  return new URL(parsed.value).origin === parsed.value
    ? parsed
    : err('expected an origin such as https://login.example.com, without a path');
};

/**
 * The origin clients and browsers reach the sign-in façade by, without a slash; undefined: there is none. Its metadata is
 * found below the root of the host (RFC 8414 §3.1), so it has no path.
 */
export const facadePublicUrl = variable(parseOrigin)('OAUTH_FACADE_PUBLIC_URL', NONE);

/** Absolute URL clients reach the registry by; signed manifests may name it as their audience. */
export const registryPublicUrl = url(
  'REGISTRY_PUBLIC_URL',
  `http://127.0.0.1:${process.env['REGISTRY_PORT'] || '8081'}`,
);

/** Absolute URL identity providers reach the receiver of signals by: they are told of it, and sign it as their audience. */
export const signalsPublicUrl = url(
  'SIGNALS_PUBLIC_URL',
  `http://127.0.0.1:${process.env['SIGNALS_PORT'] || '0'}`,
);

/** Everything a child process inherits; nobody else needs the environment whole. */
export const inheritedEnvironment = (): Environment => ({ ...process.env });
