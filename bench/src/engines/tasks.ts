/** What works do, as tasks of Longshore; in a module of their own, which threads import. */
import { defineTask } from '../longshore.ts';
import type { EngineInput, Kind } from './engine.ts';
import { block, echo, mixed, work } from './works.ts';

export const tasks = {
  echo: defineTask<EngineInput, EngineInput>({
    name: 'echo',
    strategy: 'async',
    run: ({ input }) => echo(input),
  }),
  compute: defineTask<EngineInput, number>({
    name: 'compute',
    strategy: 'thread',
    run: ({ input }) => work(input),
  }),
  mixed: defineTask<EngineInput, number>({
    name: 'mixed',
    strategy: 'async',
    run: ({ input }) => mixed(input),
  }),
  block: defineTask<EngineInput, number>({
    name: 'block',
    strategy: 'thread',
    run: ({ input, heartbeat }) => block(input, heartbeat),
  }),
} satisfies Record<Kind, unknown>;

export const { compute, block: blocking } = tasks;
