import { resolve } from 'node:path';
import { LongshoreError, show } from '../../core/errors.ts';

const EXPECTED = 'expected sqlite:jobs.db, sqlite:./folder/jobs.db or sqlite:///absolute/jobs.db';

/** The absolute path of the database file a URL names. Nothing in it is decoded. Throws STORE_URL_INVALID. */
export function fileOf(url: string): string {
  if (!url.startsWith('sqlite:')) throw invalid(url, EXPECTED);
  const path = url.slice('sqlite:'.length);
  if (path === '') throw invalid(url, `it names no file; ${EXPECTED}`);
  if (path === ':memory:')
    throw invalid(url, 'for jobs that live in memory only, use memory: as the store URL');
  if (/[?#\0]/.test(path))
    throw invalid(url, `? and # are not allowed, since this store takes no URL options; ${EXPECTED}`);
  if (/[/\\]$/.test(path)) throw invalid(url, `it names a folder, not a file; ${EXPECTED}`);
  if (!path.startsWith('//')) return resolve(path);
  if (!path.startsWith('///')) throw invalid(url, `a host is not allowed; ${EXPECTED}`);
  return resolve(/^\/\/\/[A-Za-z]:/.test(path) ? path.slice(3) : path.slice(2));
}

function invalid(url: string, problem: string): LongshoreError {
  return new LongshoreError('STORE_URL_INVALID', `The store URL is ${show(url)}; ${problem}.`, {
    details: { url },
  });
}
