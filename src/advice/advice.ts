import type { Advice, StoreFacts } from './facts.ts';
import { retentionAdvice } from './queue-rules.ts';
import { prefetchAdvice, slotsAdvice, strategyAdvice } from './task-rules.ts';

/**
 * Says what to change about the settings of a store's tasks and queues, by what the store knows of them: where its workers run
 * each task and what they measured, and how long the last jobs ran and waited. `collect.ts` reads those facts; the rules
 * are pure, and say when they know too little. Nothing here changes anything. Advice comes by task, then by queue; in each
 * what is to be changed first.
 */
export function adviseOn({ tasks, queues }: StoreFacts): Advice[] {
  const ofTasks = tasks.flatMap((facts) =>
    inOrder([strategyAdvice(facts), slotsAdvice(facts), prefetchAdvice(facts)]),
  );
  return [...ofTasks, ...queues.flatMap((facts) => inOrder([retentionAdvice(facts)]))];
}

const ORDER = ['change', 'unknown', 'keep'];

function inOrder(advice: readonly Advice[]): Advice[] {
  return [...advice].sort((one, other) => ORDER.indexOf(one.verdict) - ORDER.indexOf(other.verdict));
}
