import { LongshoreError } from '../../core/errors.ts';
import { isRefusal } from './errors.ts';
import { type MissingRight, missingOf, remedyFor } from './rights-text.ts';
import { commandsOfScripts } from './script-text.ts';
import type { Scripts } from './scripts.ts';
import type { Send } from './server.ts';
import { placeOf, type RedisAddress } from './url.ts';

/**
 * Looks whether the user has all rights the store needs, so that one error at opening names them all, instead of a script
 * failing at one of them when it has written half. Throws STORE_UNAVAILABLE.
 */
export async function requireRights(
  scripts: Scripts,
  { send, address }: { readonly send: Send; readonly address: RedisAddress },
): Promise<void> {
  const missing = await missingRights(scripts, send, address);
  if (missing.length === 0) return;
  const user = address.user === null ? 'the default user' : `user '${address.user}'`;
  const what = [...new Set(missing.map(({ what: one }) => one))].join(', ');
  const message = `Redis at ${placeOf(address)} does not allow ${user} ${what}. ${remedyFor(address, missing)}`;
  throw new LongshoreError('STORE_UNAVAILABLE', message, {
    details: {
      host: address.host,
      port: address.port,
      user: address.user,
      missing: missing.map(({ what: one }) => one),
    },
  });
}

/** Asking the server for the time is one of the rights. */
const NO_CLOCK = 0;

async function missingRights(scripts: Scripts, send: Send, address: RedisAddress): Promise<MissingRight[]> {
  const publish = address.cluster ? 'SPUBLISH' : 'PUBLISH';
  const commands = [...commandsOfScripts(), publish, 'HSETNX', 'INFO'];
  const { values } = await scripts.run('rights', NO_CLOCK, commands);
  const refused = values[0] as [Buffer, Buffer][];
  const missing = refused.map(([command, reason]) => missingOf(reason.toString(), command.toString()));
  const others = [
    await refusalOf(() => scripts.run('rights', NO_CLOCK)),
    await hearingRefused(send, address),
  ];
  return [...missing, ...others.filter((one) => one !== null)];
}

/**
 * A queued command is checked and, when the queue is given up, never run; a subscription would change the connection. Not
 * looked for where nothing can be queued: by the user's rights, or since a cluster's client has several connections.
 */
async function hearingRefused(send: Send, { cluster, prefix }: RedisAddress): Promise<MissingRight | null> {
  if (cluster || (await refusalOf(() => send(['MULTI']))) !== null) return null;
  const refusal = await refusalOf(() => send(['SUBSCRIBE', `{${prefix}}:hints`]));
  await send(['DISCARD']);
  return refusal;
}

async function refusalOf(call: () => Promise<unknown>): Promise<MissingRight | null> {
  try {
    await call();
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return missingOf(String(error));
  }
}
