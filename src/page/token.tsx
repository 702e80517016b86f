import { useState } from 'preact/hooks';
import { forgetToken, hasToken, keepToken, type Problem } from './api.ts';

/** Asks for the token that the API wants. It stays in this tab, and goes with it. */
export function TokenForm({ problem, done }: { problem: Problem; done: () => void }) {
  const [token, setToken] = useState('');
  const [wasWrong] = useState(hasToken());
  return (
    <main class="alone">
      <h1>Longshore</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          keepToken(token.trim());
          done();
        }}
      >
        <p role={wasWrong ? 'alert' : undefined}>{problem.message}</p>
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token}
            onInput={(event) => {
              forgetToken();
              setToken(event.currentTarget.value);
            }}
          />
        </label>
        <button type="submit" class="main">
          Look
        </button>
      </form>
    </main>
  );
}
