import { createHash } from 'node:crypto';
import { TOPICS, type Topic } from '../notifier.ts';

/**
 * How hints travel: NOTIFY on one channel a schema, with the payload `<instance>:<topic>,<topic>`. The instance names
 * the opened store that sent it, which told its own listeners already; it is empty when plain SQL sent it.
 */

/** Channels belong to a database and are cut at 63 bytes. The name has letters, digits and _ only. */
export function channelOf(schema: string): string {
  if (/^[a-z0-9_]{1,40}$/.test(schema)) return `longshore_${schema}`;
  return `longshore_of_${createHash('sha256').update(schema).digest('hex').slice(0, 32)}`;
}

export function payloadOf(instance: string, topics: Iterable<Topic>): string {
  return `${instance}:${[...topics].join(',')}`;
}

/** What nobody sends reads as no topics. */
export function readPayload(payload: string): { readonly instance: string; readonly topics: Topic[] } {
  const colon = payload.indexOf(':');
  const names = payload.slice(colon + 1).split(',');
  return {
    instance: payload.slice(0, Math.max(0, colon)),
    topics: TOPICS.filter((topic) => names.includes(topic)),
  };
}
