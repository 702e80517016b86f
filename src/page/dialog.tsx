import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from './api.ts';
import { useMay } from './caller.ts';
import type { Role } from './data.ts';
import { notify } from './notices.tsx';

/** A question before something is done by hand: what happens, fields if there are any, and why. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly verb: string;
  readonly fields?: readonly Field[];
  readonly isDanger?: boolean;
  /** Gets the texts of the fields by name; what it returns is told. Rejections are shown in the dialog. */
  readonly run: (given: Readonly<Record<string, string>>) => Promise<string>;
}

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'json' | 'number' | 'check';
  readonly value?: string;
  readonly hint?: string;
}

/** For the trail; every action has it. */
export const WHY: Field = { name: 'why', label: 'Why (for the audit trail)', kind: 'text' };

let open: ((question: Question) => void) | null = null;

export function ActButton({ label, needs, question, main }: ActGiven) {
  if (!useMay(needs)) return null;
  return (
    <button type="button" class={main ? 'main' : undefined} onClick={() => void show(question)}>
      {label}
    </button>
  );
}

async function show(question: () => Question | Promise<Question>): Promise<void> {
  try {
    open?.(await question());
  } catch (error) {
    notify({ text: (error as Error).message, isBad: true });
  }
}

interface ActGiven {
  readonly label: string;
  readonly needs: Role;
  readonly question: () => Question | Promise<Question>;
  readonly main?: boolean;
}

export function DialogHost() {
  const [question, setQuestion] = useState<Question | null>(null);
  useEffect(() => {
    open = setQuestion;
    return () => {
      open = null;
    };
  }, []);
  return question === null ? null : <Asked question={question} close={() => setQuestion(null)} />;
}

function Asked({ question, close }: { question: Question; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement)) as Record<
      string,
      string
    >;
    setBusy(true);
    try {
      notify({ text: await question.run(given) });
      dialog.current?.close();
    } catch (error) {
      setProblem(error instanceof Problem ? error.message : String((error as Error).message));
    } finally {
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="dialog-title">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="dialog-title">{question.title}</h2>
        <p>{question.text}</p>
        {(question.fields ?? []).map((field) => (
          <FieldInput key={field.name} field={field} />
        ))}
        {problem !== null && (
          <p class="fault" role="alert">
            {problem}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="submit" class={question.isDanger ? 'danger' : 'main'} disabled={isBusy}>
            {question.verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}

const INPUTS = {
  text: { type: 'text' },
  number: { type: 'number', min: 1 },
  check: { type: 'checkbox', value: 'yes' },
} as const;

function FieldInput({ field: { name, label, kind, value = '', hint } }: { field: Field }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: each kind is an input or a textarea.
    <label>
      {label}
      {kind === 'json' ? (
        <textarea name={name} rows={8} spellcheck={false} defaultValue={value} />
      ) : (
        <input name={name} {...INPUTS[kind]} {...(kind === 'check' ? {} : { defaultValue: value })} />
      )}
      {hint !== undefined && <small>{hint}</small>}
    </label>
  );
}

/** Throws what the dialog shows. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${(error as Error).message}`);
  }
}

export function whyOf({ why = '' }: Readonly<Record<string, string>>): { why?: string } {
  return why.trim() === '' ? {} : { why: why.trim() };
}
