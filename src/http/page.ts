import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { LongshoreError } from '../core/errors.ts';
import { ownFile } from '../own-file.ts';

/**
 * The files of the page (src/page, as setup/page.mjs builds it), below where the handler is mounted. They hold no data, so they
 * ask for no token; the page asks the API as any caller does. Read at the first look and kept: about 200 kB.
 */
interface PageFile {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly gzipped: Buffer<ArrayBuffer>;
  readonly etag: string;
  readonly media: string;
}

const FILES: Readonly<Record<string, { readonly name: string; readonly media: string }>> = {
  '/': { name: 'index.html', media: 'text/html; charset=utf-8' },
  '/page.js': { name: 'page.js', media: 'text/javascript; charset=utf-8' },
  '/page.css': { name: 'page.css', media: 'text/css; charset=utf-8' },
};

/** Scripts and styles come from here alone, and none stand in the document. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const kept = new Map<string, PageFile>();

/** Null for what is no file of the page. `path` is below the mount; empty for the mount itself, which needs its slash. */
export function pageFor(path: string, request: Request): Response | null {
  if (request.method !== 'GET' && request.method !== 'HEAD') return null;
  if (path === '') return withSlash(request);
  const known = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (known === undefined) return null;
  const file = kept.get(path) ?? read(known);
  kept.set(path, file);
  const headers = new Headers({
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
    vary: 'accept-encoding',
    etag: file.etag,
  });
  if (request.headers.get('if-none-match') === file.etag) return new Response(null, { status: 304, headers });
  headers.set('content-type', file.media);
  const isGzip = /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '');
  if (isGzip) headers.set('content-encoding', 'gzip');
  return new Response(isGzip ? file.gzipped : file.bytes, { headers });
}

/** Relative addresses in the page start at the last slash. The location is relative as well: a proxy may have cut the path. */
function withSlash(request: Request): Response {
  const last = new URL(request.url).pathname.split('/').at(-1) ?? '';
  return new Response(null, { status: 308, headers: { location: `./${last}/` } });
}

/** Throws PACKAGE_INCOMPLETE, HTTP_FAILED. */
function read({ name, media }: { readonly name: string; readonly media: string }): PageFile {
  const place = new URL(name, ownFile('../page/built/', import.meta.url));
  try {
    const bytes = readFileSync(place);
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    return { bytes, gzipped: gzipSync(bytes), etag, media };
  } catch (cause) {
    throw new LongshoreError('HTTP_FAILED', `The page is not built: ${place.pathname} is not there.`, {
      cause,
    });
  }
}
