import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, Problem, whenTokenIsMissing } from './api.ts';
import { Caller } from './caller.ts';
import type { Me } from './data.ts';
import { DialogHost } from './dialog.tsx';
import { Help, useKeys } from './keys.tsx';
import { restart } from './live.ts';
import { Notices } from './notices.tsx';
import { Fault } from './parts.tsx';
import { type Route, to, useRoute } from './route.ts';
import { PLACES, screenOf } from './screens.tsx';
import { ThemeSwitch } from './theme.tsx';
import { TokenForm } from './token.tsx';

/** The frame around every screen: who looks, where to, and what was just done. */
export function App(): JSX.Element {
  const route = useRoute();
  const [me, setMe] = useState<Me | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const begin = (): void => {
    get<Me>('me').then(
      (found) => {
        setMe(found);
        setProblem(null);
        restart();
      },
      (error: unknown) =>
        setProblem(error instanceof Problem ? error : new Problem(0, 'PAGE_FAILED', String(error))),
    );
  };
  useEffect(() => {
    whenTokenIsMissing((missing) => {
      setMe(null);
      setProblem(missing);
    });
    begin();
  }, []);
  const helping = useKeys();
  if (problem?.status === 401) return <TokenForm problem={problem} done={begin} />;
  if (me === null)
    return (
      <main class="alone">
        {problem === null ? <p class="empty">Loading…</p> : <Fault problem={problem} retry={begin} />}
      </main>
    );
  return (
    <Caller.Provider value={me}>
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <Head route={route} me={me} />
      <Content route={route} />
      <Notices />
      <DialogHost />
      <Help {...helping} />
    </Caller.Provider>
  );
}

function Head({ route, me }: { route: Route; me: Me }) {
  const at = route.parts[0] ?? 'overview';
  return (
    <header class="head">
      <a class="brand" href={to([])}>
        Longshore
      </a>
      <nav aria-label="Screens">
        {PLACES.map(({ name, label }) => (
          <a key={name} href={to([name])} aria-current={at === name ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <div class="who">
        <span title={`Role: ${me.role}`}>
          {me.name} <span class="faint">may {me.role}</span>
        </span>
        <ThemeSwitch />
      </div>
    </header>
  );
}

/** The focus goes to the new screen's title, as with a new document. */
function Content({ route }: { route: Route }) {
  const place = route.parts.join('/');
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else if (!route.query.has('focus')) document.querySelector<HTMLElement>('h1')?.focus();
    scrollTo(0, 0);
  }, [place]);
  const Screen = screenOf(route.parts);
  return (
    <main id="content" tabIndex={-1} data-screen={place}>
      <Screen key={place} route={route} />
    </main>
  );
}
