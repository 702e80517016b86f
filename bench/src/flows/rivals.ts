import { type Graph, isFixed, isTreeUpwards } from './graph.ts';

/**
 * The flows of other systems, beside Longshore's on the same server: which shapes each has, and how it is used. Each goes
 * through its public interface alone, by a program of bench/rivals.
 */
export interface FlowRival {
  readonly name: string;
  /** In bench/rivals. */
  readonly program: string;
  readonly processes: 1 | 2;
  has(graph: Graph): boolean;
  /** Larger fan-outs take it minutes. */
  readonly itemsMax: number;
  readonly note: string;
}

export const FLOW_RIVALS: Readonly<Record<'postgres' | 'redis', readonly FlowRival[]>> = {
  postgres: [
    {
      name: 'pg-boss',
      program: 'pg-boss-flows',
      processes: 2,
      has: (graph) => isFixed(graph) && graph.length > 1,
      itemsMax: 10_000,
      note: 'flow(); flowIntervalSeconds 1, the least it takes; LISTEN/NOTIFY on, work() with batches of 500 and burstWhenBatchFull. Nothing tells of an end, so its end to end stops at the last handler',
    },
    {
      name: 'dbos',
      program: 'dbos-flows',
      processes: 1,
      has: isFixed,
      itemsMax: 1_000,
      note: 'a workflow in the process that starts it, each job a step; parallel jobs and fan-outs are child workflows in a queue where a step is more than one job',
    },
  ],
  redis: [
    {
      name: 'bullmq',
      program: 'bullmq-flows',
      processes: 2,
      has: (graph) => isFixed(graph) && isTreeUpwards(graph),
      itemsMax: 10_000,
      note: 'FlowProducer.add, addBulk for all at once; waitUntilFinished. Its flows are trees, so a step with two children is none of them',
    },
  ],
};
