import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import { type Environment, fromEnvironment } from '../../connectors/environment.ts';
import { CONNECTION_VARIABLES, unreadNames } from '../../connectors/temporal/environment.ts';
import type { TemporalConnection } from '../../connectors/temporal/index.ts';
import { optionInvalid } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import { isMissingPackage } from '../../store/missing-package.ts';
import { UsageError } from '../exit-codes.ts';
import type { Output } from '../output.ts';

/**
 * The settings of both verbs of `longshore temporal`: where the server is, and settings from flags, the environment and `.env` files, in
 * this order. The variables have the names of Temporal's reference worker (connectors/temporal/environment.ts).
 */
export interface ConnectionOptions {
  readonly address?: string;
  readonly namespace?: string;
  readonly apiKey?: string;
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly dotenv?: string;
}

export function connectionFlags(command: Command): void {
  command
    .option('--address <host:port>', 'the server (or DEFAULT_TEMPORAL_URL; default: localhost:7233)')
    .option('--api-key <key>', 'better DEFAULT_TEMPORAL_API_KEY, which no list of processes shows')
    .option('--tls', 'with TLS (or DEFAULT_TEMPORAL_TLS=true); an API key turns it on')
    .option('--tls-ca <file>', 'certificate authority, PEM (or DEFAULT_TEMPORAL_TLS_CA)')
    .option('--tls-cert <file>', 'client certificate, PEM (or DEFAULT_TEMPORAL_TLS_CERT)')
    .option('--tls-key <file>', '... and its key (or DEFAULT_TEMPORAL_TLS_KEY)')
    .option('--tls-server-name <name>', 'name in the certificate (or DEFAULT_TEMPORAL_TLS_SERVER_NAME)')
    .option('--dotenv <file>', 'variables that the environment does not set (default: .env, if there)');
}

/** The environment with the file's variables below it, also for all that reads it later. Throws OPTION_INVALID, USAGE. */
export function environment(dotenv: string | undefined, out: Output): Environment {
  const file = dotenv ?? '.env';
  if (dotenv !== undefined && !existsSync(file))
    throw new UsageError(`--dotenv ${file}: there is no such file.`);
  if (existsSync(file)) {
    for (const [name, value] of Object.entries(parseEnv(readFileSync(file, 'utf8'))))
      process.env[name] ??= value;
  }
  for (const warning of unreadNames(process.env)) out.say(`warning: ${warning}`);
  return process.env;
}

/** Throws OPTION_INVALID. */
export function connectionOf(options: ConnectionOptions, env: Environment): TemporalConnection {
  const found = fromEnvironment(CONNECTION_VARIABLES, env);
  const apiKey = options.apiKey ?? found.DEFAULT_TEMPORAL_API_KEY;
  const ca = pem('--tls-ca', options.tlsCa ?? found.DEFAULT_TEMPORAL_TLS_CA);
  const crt = pem('--tls-cert', options.tlsCert ?? found.DEFAULT_TEMPORAL_TLS_CERT);
  const key = pem('--tls-key', options.tlsKey ?? found.DEFAULT_TEMPORAL_TLS_KEY);
  if ((crt === null) !== (key === null))
    throw new UsageError('A client certificate needs both: --tls-cert and --tls-key.');
  const name = options.tlsServerName ?? found.DEFAULT_TEMPORAL_TLS_SERVER_NAME;
  const details = {
    ...(ca === null ? {} : { serverRootCACertificate: ca }),
    ...(crt === null || key === null ? {} : { clientCertPair: { crt, key } }),
    ...(name === undefined ? {} : { serverNameOverride: name }),
  };
  const given = options.tls ?? found.DEFAULT_TEMPORAL_TLS;
  if (given === false && Object.keys(details).length > 0)
    throw new UsageError('DEFAULT_TEMPORAL_TLS is false, but certificates are given: set it to true.');
  const tls = Object.keys(details).length > 0 ? details : given;
  return {
    address: options.address ?? found.DEFAULT_TEMPORAL_URL ?? 'localhost:7233',
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function pem(flag: string, file: string | undefined): Buffer | null {
  if (file === undefined) return null;
  try {
    return readFileSync(file);
  } catch (error) {
    throw optionInvalid(flag, file, `a file that can be read (${reasonOf(error)})`);
  }
}

/** Rejects with USAGE and what to install where a package of Temporal's SDK is missing. */
export async function withSdk<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const missing = PACKAGES.find((name) => isMissingPackage(error, name));
    if (missing === undefined) throw error;
    throw new UsageError(
      `longshore temporal needs Temporal's SDK, and ${missing} is not installed. Run: npm install ${PACKAGES.join(' ')}`,
    );
  }
}

const PACKAGES = ['@temporalio/worker', '@temporalio/client', '@temporalio/activity', '@temporalio/workflow'];
