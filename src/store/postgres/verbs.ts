import { age } from './ageing.ts';
import { annotate } from './annotate.ts';
import { claim } from './claim.ts';
import { clear } from './clear.ts';
import { commit, isSimpleCommit } from './commit.ts';
import { confirm } from './confirm.ts';
import { control } from './control.ts';
import { enqueue, repeated } from './enqueue.ts';
import { giveBack } from './give-back.ts';
import { get, list, trail } from './inspect.ts';
import { acquire, release } from './lock.ts';
import { disown, prune, reap, retire } from './maintain.ts';
import { duePlans, isOneLook, isOneText, listPlans, plan } from './plans.ts';
import { configureQueue, queues } from './queues.ts';
import { isSimple, settle } from './settle.ts';
import type { Verb } from './verb.ts';
import { beat, workers } from './workers.ts';

/** The contract's verbs by name, each with one input, and what the store asks of itself. */
export const VERBS = {
  enqueue: { run: enqueue, alone: () => true, repeatable: true, repeated },
  claim: { run: claim, alone: () => true, repeatable: true },
  settle: { run: settle, alone: isSimple, repeatable: true },
  annotate: { run: annotate, alone: () => true },
  confirm: { run: confirm, repeatable: true },
  beat: { run: beat, repeatable: true },
  disown: { run: disown, repeatable: true },
  retire: { run: retire, repeatable: true },
  workers: { run: workers, repeatable: true },
  reap: { run: reap },
  prune: { run: prune },
  age: { run: age },
  configureQueue: { run: configureQueue, repeatable: true },
  queues: { run: queues, repeatable: true },
  clear: { run: clear },
  control: { run: control },
  get: { run: get, repeatable: true },
  list: { run: list, repeatable: true },
  trail: { run: trail, repeatable: true },
  acquire: { run: acquire, repeatable: true },
  release: { run: release, repeatable: true },
  commit: { run: commit, alone: isSimpleCommit, repeatable: true },
  duePlans: { run: duePlans, alone: isOneLook, repeatable: true },
  plan: { run: plan, alone: isOneText, repeatable: true },
  listPlans: { run: listPlans, repeatable: true },
  giveBack: { run: giveBack, repeatable: true },
} as const;

export type VerbName = keyof typeof VERBS;

type Run<Name extends VerbName> = (typeof VERBS)[Name]['run'];

export type VerbInput<Name extends VerbName> =
  Parameters<Run<Name>> extends [unknown, infer Input] ? Input : null;

export type VerbResult<Name extends VerbName> = Awaited<ReturnType<Run<Name>>>;

export function verbNamed(name: VerbName): Verb<unknown, unknown> {
  return VERBS[name] as unknown as Verb<unknown, unknown>;
}
