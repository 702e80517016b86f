import type { ClaimReceipt, EnqueueReceipt } from '../store.ts';
import { age, peekAge } from './ageing.ts';
import type { AllCreated } from './alike.ts';
import { claim, peekClaim } from './claim.ts';
import { clear } from './clear.ts';
import { commit } from './commit.ts';
import { confirm } from './confirm.ts';
import { control } from './control.ts';
import { enqueue } from './enqueue.ts';
import { get, list } from './inspect.ts';
import type { Claimed } from './leased.ts';
import { acquire, peekAcquire, release } from './lock.ts';
import { peekPrune, peekReap, prune, reap } from './maintain.ts';
import { duePlans, listPlans, plan } from './plans.ts';
import { configureQueue, queues } from './queues.ts';
import type { Tx } from './rows.ts';
import { annotate, settle } from './settle.ts';
import { trail } from './trail.ts';
import type { Verb } from './verb.ts';
import { beat, disown, retire, workers } from './workers.ts';

/** The contract's verbs by name, each with one input, as they cross to the store thread. */
export const VERBS = {
  enqueue: { write: enqueue },
  claim: { read: peekClaim, write: claim },
  settle: { write: settle },
  annotate: { write: annotate },
  confirm: { write: confirm },
  beat: { write: beat },
  disown: { write: disown },
  retire: { write: retire },
  workers: { read: workers },
  reap: { read: peekReap, write: reap },
  prune: { read: peekPrune, write: prune },
  age: { read: peekAge, write: age },
  configureQueue: { write: configureQueue },
  queues: { read: queues },
  clear: { write: clear },
  control: { write: control },
  get: { read: get },
  list: { read: list },
  trail: { read: trail },
  acquire: { read: peekAcquire, write: acquire },
  release: { write: release },
  commit: { write: commit },
  duePlans: { read: duePlans },
  plan: { read: plan },
  listPlans: { read: listPlans },
} as const;

export type VerbName = keyof typeof VERBS;

type Run<Name extends VerbName> = (typeof VERBS)[Name] extends { readonly write: infer Write }
  ? Write
  : (typeof VERBS)[Name] extends { readonly read: infer Read }
    ? Read
    : never;

export type VerbInput<Name extends VerbName> =
  Run<Name> extends (tx: Tx, input: infer Input) => unknown ? (unknown extends Input ? null : Input) : never;

export type VerbResult<Name extends VerbName> =
  Run<Name> extends (...given: never[]) => infer Result ? Unpacked<Result> : never;

/** What comes out of the packing (pack.ts). */
type Unpacked<Result> = Result extends Claimed
  ? ClaimReceipt
  : Result extends AllCreated
    ? EnqueueReceipt[]
    : Result;

export function verbNamed(name: VerbName): Verb<unknown, unknown> {
  return VERBS[name] as Verb<unknown, unknown>;
}
