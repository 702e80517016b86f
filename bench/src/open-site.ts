import type { Bench } from './bench.ts';
import type { Place, Site, SiteSettings, StoreKind } from './site.ts';

export const onServer = (store: StoreKind): boolean => store === 'postgres' || store === 'redis';

export async function withSite<T>(
  settings: SiteSettings,
  bench: Bench,
  use: (site: Site) => Promise<T>,
): Promise<T> {
  const site = await openSite(settings, bench);
  try {
    if (site.server?.durable === false)
      bench.progress.note(
        'This server gives up durability for speed: these are not figures of a safe store.',
      );
    return await use(site);
  } finally {
    await site.close();
  }
}

export async function inFreshPlace<T>(site: Site, use: (place: Place) => Promise<T>): Promise<T> {
  const place = await site.fresh();
  try {
    return await use(place);
  } finally {
    await place.drop();
  }
}

export async function openSite({ store, url, fsync }: SiteSettings, { workspace }: Bench): Promise<Site> {
  if (fsync !== undefined && (store !== 'redis' || url !== undefined))
    throw new Error(
      '--fsync is of a Redis that is started here: use it with --store redis and without --url',
    );
  if (!onServer(store)) {
    if (url !== undefined) throw new Error('--url names a server: use it with --store postgres or redis');
    return localSite(store === 'memory' ? null : workspace);
  }
  // Loaded on use: the drivers are needed by nobody else.
  if (store === 'postgres') return (await import('./site-postgres.ts')).openPostgresSite(url ?? null);
  return (await import('./site-redis.ts')).openRedisSite(url ?? null, fsync ?? 'everysec');
}

/** `workspace` null: in memory, where nothing has to be dropped. */
function localSite(workspace: Bench['workspace'] | null): Site {
  return {
    server: null,
    restart: null,
    async fresh() {
      if (workspace === null) return { url: 'memory:', server: null, drop: async () => undefined };
      const file = workspace.freshFile();
      return { url: `sqlite:${file}`, server: null, drop: async () => workspace.drop(file) };
    },
    close: async () => undefined,
  };
}
