/**
 * The ONE table of error codes. `retryable` answers "may the same call succeed later, unchanged?". `status` is the HTTP
 * status the API answers with.
 */
interface CodeEntry {
  readonly meaning: string;
  readonly retryable: boolean;
  readonly status: number;
}

export const ERROR_CODES = {
  OPTION_INVALID: { meaning: 'an option has a value outside its range', retryable: false, status: 400 },
  TASK_INVALID: { meaning: 'a task definition is wrong', retryable: false, status: 400 },
  TASK_DUPLICATE: { meaning: 'two tasks share one name', retryable: false, status: 409 },
  TASK_UNKNOWN: { meaning: 'no task of that name is registered', retryable: true, status: 404 },
  PACKAGE_INCOMPLETE: {
    meaning: 'a file of this package is missing, as in a bundle',
    retryable: false,
    status: 500,
  },
  TASKS_UNLOADABLE: { meaning: 'a file of tasks cannot be loaded', retryable: false, status: 500 },
  TASK_MODULE_UNLOADABLE: {
    meaning: 'a thread or process cannot load the task from its module',
    retryable: true,
    status: 500,
  },
  INPUT_INVALID: { meaning: "the input does not match the task's schema", retryable: false, status: 422 },
  PAYLOAD_NOT_JSON: {
    meaning: 'a value cannot be written as JSON without loss',
    retryable: false,
    status: 422,
  },
  PAYLOAD_TOO_LARGE: {
    meaning: 'a payload, or a batch of them, is larger than the limit',
    retryable: false,
    status: 413,
  },
  PAYLOAD_CORRUPT: { meaning: 'a stored payload cannot be read back', retryable: false, status: 500 },
  PAYLOAD_PLAIN: {
    meaning: 'a payload is not encrypted where only encrypted ones are taken',
    retryable: true,
    status: 500,
  },
  KEY_UNKNOWN: { meaning: 'no key of the key ring opens a payload', retryable: true, status: 500 },
  UNIQUE_CONFLICT: { meaning: 'a job with this unique key already exists', retryable: true, status: 409 },
  JOB_UNKNOWN: { meaning: 'there is no job with this id', retryable: false, status: 404 },
  JOB_STATE_REFUSED: {
    meaning: 'the state of the job does not allow this action',
    retryable: false,
    status: 409,
  },
  JOB_FAILED: { meaning: 'the job ended as a dead letter', retryable: false, status: 424 },
  JOB_CANCELLED: { meaning: 'the job was cancelled', retryable: false, status: 410 },
  JOB_REPLACED: {
    meaning: 'a newer job with the unique key of this one runs instead',
    retryable: false,
    status: 410,
  },
  JOB_TIMED_OUT: { meaning: 'an attempt ran longer than its timeout', retryable: true, status: 504 },
  JOB_HEARTBEAT_MISSED: {
    meaning: 'an attempt gave no sign of life within its heartbeat timeout',
    retryable: true,
    status: 504,
  },
  JOB_POISONED: { meaning: 'the workers that ran the job kept dying', retryable: false, status: 500 },
  JOB_SUSPENDED: {
    meaning: 'the attempt ends here: the job sleeps or waits, and its handler runs again',
    retryable: true,
    status: 503,
  },
  SUSPENSION_SWALLOWED: {
    meaning: 'a handler caught what ended its attempt for a sleep or a wait, and went on',
    retryable: true,
    status: 500,
  },
  STEP_NESTED: {
    meaning: 'a handler sleeps or waits inside one of its durable steps',
    retryable: false,
    status: 409,
  },
  STEP_DUPLICATE: {
    meaning: 'an attempt used a name twice for its durable steps',
    retryable: false,
    status: 409,
  },
  STEPS_UNSUPPORTED: {
    meaning: 'durable steps need a store, which work of another engine does not have',
    retryable: false,
    status: 501,
  },
  LANE_CRASHED: {
    meaning: 'the thread or process that ran the handler ended under it',
    retryable: true,
    status: 500,
  },
  LANE_OUT_OF_MEMORY: {
    meaning: 'the thread or process that ran the handler reached its memory limit',
    retryable: true,
    status: 500,
  },
  LEASE_LOST: { meaning: 'another worker may own the job now', retryable: false, status: 409 },
  LEASE_EXPIRED: { meaning: 'the worker that ran the job fell silent', retryable: true, status: 503 },
  RESULT_TIMEOUT: { meaning: 'the job did not end within the time given', retryable: true, status: 504 },
  WORKER_STOPPING: { meaning: 'the worker is being stopped', retryable: true, status: 503 },
  QUEUE_BUSY: { meaning: 'the queue still has running jobs', retryable: true, status: 409 },
  QUEUE_UNKNOWN: { meaning: 'no queue of that name has jobs or settings', retryable: false, status: 404 },
  WORKER_UNKNOWN: { meaning: 'there is no worker with this id', retryable: false, status: 404 },
  FLOW_INVALID: { meaning: 'a flow definition is wrong', retryable: false, status: 400 },
  FLOW_UNKNOWN: {
    meaning: 'no definition of that flow and version is stored',
    retryable: false,
    status: 404,
  },
  FLOW_STEP_UNKNOWN: { meaning: 'the flow has no step of that name', retryable: false, status: 404 },
  FLOW_BRANCH_UNKNOWN: {
    meaning: 'a decision chose a branch that it does not have',
    retryable: false,
    status: 422,
  },
  FLOW_PATH_MISSING: {
    meaning: 'an input refers to a value that is not there',
    retryable: false,
    status: 422,
  },
  FLOW_NO_TIME: {
    meaning: 'a step is to sleep for a value that is no number of ms',
    retryable: false,
    status: 422,
  },
  FLOW_NO_LIST: { meaning: 'a fan-out goes over a value that is no list', retryable: false, status: 422 },
  FLOW_WAIT_TIMED_OUT: { meaning: 'a signal did not come in time', retryable: false, status: 504 },
  RUN_UNKNOWN: { meaning: 'there is no run with this id', retryable: false, status: 404 },
  RUN_STATE_REFUSED: {
    meaning: 'the state of the run does not allow this action',
    retryable: false,
    status: 409,
  },
  RUN_FAILED: { meaning: 'the run ended as failed', retryable: false, status: 424 },
  RUN_CANCELLED: { meaning: 'the run was cancelled', retryable: false, status: 410 },
  TRANSACTIONS_UNSUPPORTED: {
    meaning: 'a job cannot be completed in a transaction of yours here',
    retryable: false,
    status: 501,
  },
  TRANSACTION_ROLLED_BACK: {
    meaning: 'the transaction that was to complete the job was rolled back',
    retryable: true,
    status: 409,
  },
  SCHEDULE_UNKNOWN: { meaning: 'there is no schedule of that name', retryable: false, status: 404 },
  SCHEDULE_OWNED: {
    meaning: 'the code of another owner defines a schedule of that name',
    retryable: false,
    status: 409,
  },
  HTTP_REQUEST_INVALID: { meaning: 'a request does not match the API', retryable: false, status: 400 },
  HTTP_TOKEN_INVALID: {
    meaning: 'a request has no token, or one that does not hold',
    retryable: false,
    status: 401,
  },
  HTTP_ROLE_REFUSED: {
    meaning: "the token's role does not allow this action",
    retryable: false,
    status: 403,
  },
  HTTP_ORIGIN_REFUSED: {
    meaning: 'a request comes from a place that may not ask',
    retryable: false,
    status: 403,
  },
  HTTP_PATH_UNKNOWN: { meaning: 'the API has no such path', retryable: false, status: 404 },
  HTTP_METHOD_REFUSED: { meaning: 'the path does not take this method', retryable: false, status: 405 },
  HTTP_MEDIA_TYPE_REFUSED: { meaning: 'a body is not JSON', retryable: false, status: 415 },
  HTTP_KEY_REUSED: {
    meaning: 'an Idempotency-Key came again with another request',
    retryable: false,
    status: 422,
  },
  HTTP_TOO_MANY: { meaning: 'a caller asked too often', retryable: true, status: 429 },
  HTTP_FAILED: { meaning: 'the API met an unexpected error', retryable: false, status: 500 },
  ENGINE_UNAVAILABLE: {
    meaning: 'the workflow engine cannot be reached, or cannot serve now',
    retryable: true,
    status: 503,
  },
  ENGINE_REFUSED: { meaning: 'the workflow engine refuses a request', retryable: false, status: 502 },
  ENGINE_UNSUPPORTED: {
    meaning: 'what answers is no workflow engine that this connector knows, or of another version',
    retryable: false,
    status: 501,
  },
  VARIABLE_INVALID: {
    meaning: "a value does not fit its variable's type in the workflow engine",
    retryable: false,
    status: 422,
  },
  STORE_URL_INVALID: { meaning: 'the store URL cannot be understood', retryable: false, status: 400 },
  STORE_UNAVAILABLE: { meaning: 'the store cannot be reached or opened', retryable: true, status: 503 },
  STORE_READ_ONLY: { meaning: 'the store cannot be written', retryable: false, status: 503 },
  STORE_FULL: { meaning: 'the store has no space left', retryable: true, status: 507 },
  STORE_BUSY: { meaning: 'the store is locked by somebody else for too long', retryable: true, status: 503 },
  STORE_CORRUPT: { meaning: 'the store holds damaged data', retryable: false, status: 500 },
  STORE_NEWER: { meaning: 'a newer version of Longshore wrote this store', retryable: false, status: 409 },
  STORE_OUTDATED: { meaning: 'the store needs migrations', retryable: false, status: 409 },
  STORE_CLOSED: { meaning: 'the store was closed', retryable: false, status: 503 },
  STORE_FAILED: { meaning: 'the store met an unexpected error', retryable: true, status: 500 },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;
