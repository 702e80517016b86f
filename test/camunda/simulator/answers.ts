import type { Engine } from './engine.ts';
import type { Incident, Job } from './records.ts';

/** A job as workers are given it. */
export function jobAnswer(engine: Engine, job: Job, fetched?: readonly string[]): Record<string, unknown> {
  const { instance, process, deployed, element } = engine.surroundings(job);
  const variables = { ...instance.variables, ...job.local };
  const picked =
    fetched === undefined || fetched.length === 0
      ? variables
      : Object.fromEntries(Object.entries(variables).filter(([name]) => fetched.includes(name)));
  return {
    jobKey: job.key,
    type: job.type,
    processDefinitionId: process.id,
    processDefinitionVersion: deployed.version,
    processDefinitionKey: deployed.key,
    processInstanceKey: instance.key,
    rootProcessInstanceKey: instance.key,
    elementId: job.elementId,
    elementInstanceKey: job.elementInstanceKey,
    customHeaders: element.headers,
    worker: job.worker,
    retries: job.retries,
    deadline: job.until,
    variables: picked,
    tenantId: instance.tenantId,
    kind: 'BPMN_ELEMENT',
    listenerEventType: 'UNSPECIFIED',
    userTask: null,
    tags: instance.tags,
    ...(job.lease === null ? {} : { jobLeaseToken: job.lease }),
  };
}

export function incidentAnswer(engine: Engine, incident: Incident): Record<string, unknown> {
  const job = engine.jobs.get(incident.jobKey) as Job;
  const { instance, process, deployed } = engine.surroundings(job);
  return {
    incidentKey: incident.key,
    errorType: incident.errorType,
    errorMessage: incident.message,
    state: incident.state,
    creationTime: new Date(incident.createdAt).toISOString(),
    jobKey: job.key,
    elementId: job.elementId,
    elementInstanceKey: job.elementInstanceKey,
    processDefinitionId: process.id,
    processDefinitionKey: deployed.key,
    processInstanceKey: instance.key,
    rootProcessInstanceKey: instance.key,
    tenantId: instance.tenantId,
  };
}
