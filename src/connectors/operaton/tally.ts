/**
 * How many external tasks ended in which way. `failed` ones have no retries left, which makes incidents; `lost` ones lost their
 * lock, or the engine refused their end; of `unconfirmed` ones the answer was lost, and the task was gone afterwards.
 */
export type OperatonTally = Record<
  'completed' | 'bpmnErrors' | 'retried' | 'failed' | 'snoozed' | 'released' | 'lost' | 'unconfirmed',
  number
>;

export function emptyTally(): OperatonTally {
  return {
    completed: 0,
    bpmnErrors: 0,
    retried: 0,
    failed: 0,
    snoozed: 0,
    released: 0,
    lost: 0,
    unconfirmed: 0,
  };
}
