import type { ClaimRequest } from '../store.ts';
import type { Tx } from './rows.ts';

/** What only the hottest verbs need. */
export interface HotTx extends Tx {
  /** As `now`; null where it is not known and the statement is to take the server's. */
  readonly given: number | null;
  /** Whom the statement names as the sender when it notifies by itself; null while it should not. */
  readonly sender: string | null;
  /** The statement is a transaction of its own, and may be one that commits on its way. */
  readonly single: boolean;
  /** A Buffer is taken as a parameter in the binary form. */
  readonly binary: boolean;
  /** Rows as arrays. */
  tuples<Row>(text: string, values: readonly unknown[]): Promise<Row[]>;
  /** Names a claim, so that its jobs can be given back when its answer is lost. */
  claimId(request: ClaimRequest): string;
}

/** How a verb runs. */
export interface Verb<Input, Result> {
  readonly run: (tx: HotTx, input: Input) => Promise<Result>;
  /**
   * True for an input that takes one statement, which looks at the time itself (`given`) and notifies by itself
   * (`sender`): it needs no transaction around it, and may be sent before what goes ahead of it is answered.
   */
  readonly alone?: (input: Input) => boolean;
  /** Doing it twice does no more than once: repeated when the answer was lost. */
  readonly repeatable?: boolean;
  /** Its input then; the same unless this says otherwise. */
  readonly repeated?: (input: Input) => Input;
}
