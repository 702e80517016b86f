import { useEffect, useRef, useState } from 'preact/hooks';
import { go, to } from './route.ts';
import { PLACES } from './screens.tsx';

/** Keys: `/` searches, `g` and a letter goes to a screen, `?` tells them. None while somebody types. */
export function useKeys(): { isOpen: boolean; close: () => void } {
  const [isOpen, setOpen] = useState(false);
  const before = useRef('');
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      const isTyping = target.matches('input, textarea, select, [contenteditable]');
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      const place = before.current === 'g' ? PLACES.find(({ key }) => key === event.key) : undefined;
      before.current = event.key;
      if (place !== undefined) go(to([place.name]));
      else if (event.key === '?') setOpen(true);
      else if (event.key === '/') {
        event.preventDefault();
        search();
      }
    };
    addEventListener('keydown', hear);
    return () => removeEventListener('keydown', hear);
  }, []);
  return { isOpen, close: () => setOpen(false) };
}

/** The screen's own search, or the one of jobs. */
function search(): void {
  const own = document.querySelector<HTMLInputElement>('input[type=search]');
  if (own !== null) own.focus();
  else go(to(['jobs'], { focus: 'search' }));
}

export function Help({ isOpen, close }: { isOpen: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>search</dd>
        </div>
        {PLACES.map(({ key, label, name }) => (
          <div key={name}>
            <dt>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>this list</dd>
        </div>
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
