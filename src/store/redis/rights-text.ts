import type { RedisAddress } from './url.ts';

/** A right that a user lacks: what it is to, and what to add to the user's rules for it. */
export interface MissingRight {
  readonly what: string;
  readonly rule: 'keys' | 'channels' | string;
}

/**
 * From what a server says: it names the command, or says that it is the keys or the channels
 * (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/). `command` where it does not.
 */
export function missingOf(reason: string, command?: string): MissingRight {
  if (/\bchannels?\b/.test(reason)) return { what: "the store's channels", rule: 'channels' };
  if (/\bkeys?\b/.test(reason)) return { what: "the store's keys", rule: 'keys' };
  const name = command ?? /'([^']+)' command/.exec(reason)?.[1] ?? null;
  if (name === null) return { what: 'what Longshore needs', rule: '' };
  return { what: `the command ${name.toUpperCase()}`, rule: `+${name.toLowerCase()}` };
}

/** What an administrator has to do. */
export function remedyFor({ user, prefix }: RedisAddress, missing: readonly MissingRight[]): string {
  const rules: Readonly<Record<string, string>> = { keys: `~{${prefix}}:*`, channels: `&{${prefix}}:*` };
  const added = [...new Set(missing.map(({ rule }) => rules[rule] ?? rule))].filter((rule) => rule !== '');
  const name = user ?? 'default';
  const all = `${rules.keys} ${rules.channels} +@all -@admin -@dangerous +info +config|get`;
  const enough = `Enough for everything is: ACL SETUSER ${name} ${all}.`;
  return added.length === 0 ? enough : `Run ACL SETUSER ${name} ${added.join(' ')}. ${enough}`;
}
