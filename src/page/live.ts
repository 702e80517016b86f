import { useEffect, useRef, useState } from 'preact/hooks';
import { get, Problem, stream } from './api.ts';
import type { Overview } from './data.ts';

/**
 * What is live: one stream of overviews for the tab, closed while nobody sees it, since a browser has six connections for an
 * address. Each overview is also the beat by which screens read anew. Where there is no stream, the overview is asked for.
 */
type Listener = (overview: Overview) => void;

const listeners = new Set<Listener>();
const POLL_MS = 5_000;
let stop: AbortController | null = null;

export function useOverview(): Overview | null {
  const [overview, setOverview] = useState<Overview | null>(null);
  useBeat(setOverview);
  return overview;
}

function useBeat(listener: Listener): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const hear: Listener = (overview) => latest.current(overview);
    listeners.add(hear);
    if (stop === null) begin();
    return () => void listeners.delete(hear);
  }, []);
}

function begin(): void {
  if (document.hidden) return;
  stop = new AbortController();
  void follow(stop.signal);
}

document.addEventListener('visibilitychange', () => {
  stop?.abort();
  stop = null;
  if (!document.hidden && listeners.size > 0) begin();
});

/** Begins anew after whatever happened; a new token begins it, too. */
export function restart(): void {
  stop?.abort();
  begin();
}

async function follow(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      tell(await get<Overview>('overview', signal));
      await stream('overview', signal, (data) => tell(data as Overview));
    } catch (error) {
      // A server tells an address that asks without a valid token too often to wait.
      if (error instanceof Problem && error.status === 401) return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function tell(overview: Overview): void {
  for (const listener of [...listeners]) listener(overview);
}

export interface Loaded<Data> {
  readonly data: Data | null;
  /** The last reading failed; `data` is what was read before. */
  readonly problem: Problem | null;
  readonly reload: () => void;
}

/**
 * Reads what is at the path, anew at each beat; where reading costs the store much `once`, or until it is `final`, which does
 * not change any more.
 */
export function useLoad<Data>(
  path: string,
  how: 'live' | 'once' | { readonly final: (data: Data) => boolean } = 'live',
): Loaded<Data> {
  const [state, setState] = useState<{ path: string; data: Data | null; problem: Problem | null }>({
    path,
    data: null,
    problem: null,
  });
  const reading = useRef<AbortController | null>(null);
  const read = (): void => {
    reading.current?.abort();
    const own = new AbortController();
    reading.current = own;
    const isOver = (): boolean => {
      if (own.signal.aborted) return true;
      reading.current = null;
      return false;
    };
    get<Data>(path, own.signal).then(
      (data) => isOver() || setState({ path, data, problem: null }),
      (error: unknown) => {
        if (isOver()) return;
        const problem = error instanceof Problem ? error : new Problem(0, 'PAGE_FAILED', String(error));
        setState((before) => ({ path, data: before.path === path ? before.data : null, problem }));
      },
    );
  };
  useEffect(() => {
    read();
    return () => reading.current?.abort();
  }, [path]);
  const known = state.path === path ? state.data : null;
  const isLive = typeof how === 'object' ? known === null || !how.final(known) : how === 'live';
  useBeat(() => {
    // A reading that takes longer than the time between beats would never end if each beat began it anew.
    if (isLive && reading.current === null) read();
  });
  return { data: known, problem: state.path === path ? state.problem : null, reload: read };
}
