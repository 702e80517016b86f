/**
 * `longshore/camunda`: workers of Camunda 8 whose jobs run in Longshore's lanes and slots. A connector has no store: the cluster keeps
 * the jobs, their locks and their retries; `src/engine` runs them. cluster -> poller.ts -> runner -> outcomes.ts -> reports.ts -> cluster.
 * It speaks the cluster's REST API (v2) by Node's own HTTP client and needs no SDK.
 */
export { BpmnError, type BpmnErrorOptions } from '../../engine/bpmn-error.ts';
export type { Auth, ClientCredentials } from './auth.ts';
export type { CamundaCounts } from './counts.ts';
export type { CamundaJob } from './job.ts';
export type { CamundaOptions, JobType } from './options.ts';
export { type CamundaHealth, CamundaWorker, camundaWorker, type StopOptions } from './worker.ts';
