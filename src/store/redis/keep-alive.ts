import type { HeartModule } from '../heart.ts';
import { connectTo } from './connect-to.ts';
import { toStoreError } from './errors.ts';
import { baseOf } from './keys.ts';
import { Scripts } from './scripts.ts';
import { Names } from './session.ts';
import { parseUrl, placeOf } from './url.ts';
import { WholeBatches } from './whole.ts';
import { beat } from './workers.ts';

/** Loaded on the heart's thread (store/heart.ts): a connection that does nothing but beat. */
export const openHeart: HeartModule['openHeart'] = async (url) => {
  const { connection, address } = await connectTo(parseUrl(url));
  const base = baseOf(address.prefix);
  const scripts = new Scripts(connection, {
    base,
    instance: 'heart',
    place: placeOf(address),
    hear: () => {},
  });
  const session = { scripts, names: new Names(scripts), wholes: new WholeBatches() };
  return {
    beat: async (request) => {
      try {
        return await beat(session, request, request.now);
      } catch (error) {
        throw toStoreError(error, address);
      }
    },
    close: () => connection.close(),
  };
};
