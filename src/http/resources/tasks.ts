import Type from 'typebox';
import { Closed } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** Tasks: those that workers have, and those whose code is here. */
const TaskForm = Closed({
  name: Type.String(),
  workers: Type.Integer({ description: 'Live workers that run it' }),
  checked: Type.Boolean({ description: 'Whether inputs given over HTTP are checked here' }),
  lanes: Type.Array(Closed({ worker: Type.String(), lane: Type.String(), reason: Type.String() }), {
    description: 'Where workers run it, and why',
  }),
});

const list = operation('GET /tasks', {
  id: 'listTasks',
  summary: 'The tasks that live workers run, and those this server knows, by name',
  role: 'look',
  answers: { 200: { is: 'The tasks', schema: Closed({ tasks: Type.Array(TaskForm) }) } },
  run: async ({ samples, settings }) => {
    const alive = (await samples.latest()).workers.filter((worker) => worker.alive);
    const here = new Set(settings.tasks.map(({ name }) => name));
    const names = new Set([...here, ...alive.flatMap(({ tasks }) => tasks)]);
    const tasks = [...names].sort().map((name) => ({
      name,
      workers: alive.filter(({ tasks }) => tasks.includes(name)).length,
      checked: here.has(name),
      lanes: alive.flatMap(({ id, profiles }) =>
        profiles.flatMap(({ task, lane, reason }) => (task === name ? [{ worker: id, lane, reason }] : [])),
      ),
    }));
    return { json: { tasks } };
  },
});

export const tasks: readonly Operation[] = [list];
