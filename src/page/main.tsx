import { render } from 'preact';
import { App } from './app.tsx';

/**
 * The page that operators look at and act through, built by setup/page.mjs and served by src/http/page.ts. It is one more caller
 * of the HTTP API: it imports nothing of the server but types, keeps nothing but a token for the tab, and shows every name
 * as text. app.tsx -> the screen that the address names (screens/) -> api.ts, live.ts.
 */
render(<App />, document.body);
