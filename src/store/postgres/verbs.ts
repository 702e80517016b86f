import { claim } from './claim.ts';
import { enqueue } from './enqueue.ts';
import { annotate, isSimple, settle } from './settle.ts';
import type { Verb } from './verb.ts';

/** The contract's verbs by name, each with one input. */
export const VERBS = {
  enqueue: { run: enqueue, alone: () => true, repeatable: true },
  claim: { run: claim, alone: () => true, repeatable: true },
  settle: { run: settle, alone: isSimple, repeatable: true },
  annotate: { run: annotate },
} as const;

export type VerbName = keyof typeof VERBS;

type Run<Name extends VerbName> = (typeof VERBS)[Name]['run'];

export type VerbInput<Name extends VerbName> = Parameters<Run<Name>> extends [unknown, infer Input] ? Input : null;

export type VerbResult<Name extends VerbName> = Awaited<ReturnType<Run<Name>>>;

export function verbNamed(name: VerbName): Verb<unknown, unknown> {
  return VERBS[name] as Verb<unknown, unknown>;
}
