import assert from 'node:assert/strict';
import { linear3, tasks } from '../../examples/flows/shapes.ts';
import { onEachStore, PLAN_KINDS } from '../stage.ts';

onEachStore(
  'a plan that was read before the outcome was there is read again: the run goes on',
  async ({ connect }) => {
    const longshore = await connect();
    const { planner } = longshore.flows;
    const run = await longshore.flows.start(linear3, null);
    const early = await planner.ahead([`run/${run.id}`]);
    assert.deepEqual(early?.plans[0]?.reports, []);
    let asked = 0;
    planner.ahead = () => {
      asked += 1;
      return Promise.resolve(early);
    };
    await longshore.worker({ tasks }).runUntilIdle();
    assert.equal((await run.ended()).state, 'completed');
    assert.ok(asked > 0, 'the worker asks ahead');
  },
  PLAN_KINDS,
);

onEachStore(
  'where reading ahead fails the plan is read as ever',
  async ({ connect }) => {
    const longshore = await connect();
    const { planner } = longshore.flows;
    planner.ahead = () => Promise.resolve(null);
    const run = await longshore.flows.start(linear3, null);
    await longshore.worker({ tasks }).runUntilIdle();
    assert.equal((await run.ended()).state, 'completed');
  },
  PLAN_KINDS,
);

onEachStore(
  'a worker that stopped no longer claims as jobs are added',
  async ({ connect }) => {
    const longshore = await connect();
    const worker = longshore.worker({ tasks });
    await worker.start();
    await worker.stop();
    const run = await longshore.flows.start(linear3, null);
    assert.equal((await longshore.flows.get(run.id))?.state, 'running');
    assert.equal((await longshore.jobs.list({ state: 'ready' })).jobs.length, 1);
  },
  PLAN_KINDS,
);
