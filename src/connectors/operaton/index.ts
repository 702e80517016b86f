/**
 * `longshore/operaton`: external tasks of Operaton and Camunda 7, run in Longshore's lanes and slots. engine → fetcher → runner →
 * handler → reports → engine; the keeper extends locks meanwhile. The engine keeps the state: nothing here is stored, and
 * nothing is run that the engine has not locked for this worker.
 */
import type { OperatonOptions } from './options.ts';
import { OperatonWorker } from './worker.ts';

export { BpmnError, type BpmnErrorOptions } from '../../engine/bpmn-error.ts';
export type { PlainAuth as Auth } from '../http/auth.ts';
export type { ExternalTask } from './external-task.ts';
export type { OperatonOptions, Topic } from './options.ts';
export type { OperatonTally } from './tally.ts';
export type { TypedValue, VariableType } from './variables.ts';
export type { OperatonHealth, OperatonStopOptions, OperatonWorker } from './worker.ts';

/**
 * A worker that runs external tasks: `operatonWorker({ url, topics: { charge: chargeCard } })`, then `start()` and at the end
 * `stop()`. Throws OPTION_INVALID naming the option, TASK_INVALID, TASK_DUPLICATE.
 */
export function operatonWorker(options: OperatonOptions): OperatonWorker {
  return new OperatonWorker(options);
}
