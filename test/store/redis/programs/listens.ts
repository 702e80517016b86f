import { listener } from '../../../../src/store/redis/client.ts';
import { RedisNotifier } from '../../../../src/store/redis/notifier.ts';
import { parseUrl } from '../../../../src/store/redis/url.ts';

/** Listens for hints until its parent lets go; nothing else keeps it alive. */
const listen = listener(parseUrl(process.argv[2] ?? ''), 'hints');
const notifier = new RedisNotifier({ instance: 'child', listen });
let told = false;
notifier.subscribe('ready', () => {
  if (!told) process.send?.('listens');
  told = true;
});
// A listener refs the channel to the parent, until the parent closes it.
process.on('disconnect', () => {});
