import { useEffect, useState } from 'preact/hooks';

/** The screen is in the hash, as `#/jobs?state=failed`, so that an address can be sent, and that any server can hold the page. */
export interface Route {
  /** Decoded parts of the path. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const hear = (): void => setHash(location.hash);
    addEventListener('hashchange', hear);
    // The address may have changed between the first drawing and now.
    hear();
    return () => removeEventListener('hashchange', hear);
  }, []);
  return routeOf(hash);
}

function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  return { parts: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `to(['jobs', id])`; criteria that are empty are left out. */
export function to(parts: readonly string[], query: Readonly<Record<string, string | null>> = {}): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const text = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export function go(address: string): void {
  location.hash = address;
}
