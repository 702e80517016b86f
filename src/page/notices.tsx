import { useEffect, useState } from 'preact/hooks';

/** What was just done, told once: politely to screen readers, and for 6 s to others. With a way back where there is one. */
export interface Notice {
  readonly text: string;
  readonly isBad?: boolean;
  readonly undo?: () => void;
  /** How long it stays, 6 s by default. */
  readonly ms?: number;
}

let show: ((notice: Notice) => void) | null = null;

export function notify(notice: Notice): void {
  show?.(notice);
}

export function Notices() {
  const [notice, setNotice] = useState<Notice | null>(null);
  useEffect(() => {
    show = setNotice;
    return () => {
      show = null;
    };
  }, []);
  useEffect(() => {
    if (notice === null) return;
    const timer = setTimeout(() => setNotice(null), notice.ms ?? 6_000);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice !== null && (
        <div class={notice.isBad ? 'notice bad' : 'notice'}>
          <span>{notice.text}</span>
          {notice.undo !== undefined && (
            <button
              type="button"
              onClick={() => {
                notice.undo?.();
                setNotice({ text: 'Not done.' });
              }}
            >
              Undo
            </button>
          )}
          <button type="button" class="plain" aria-label="Close the notice" onClick={() => setNotice(null)}>
            ✕
          </button>
        </div>
      )}
    </div>
  );
}
