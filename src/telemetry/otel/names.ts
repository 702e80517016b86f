/**
 * Names of attributes: those of OpenTelemetry's semantic conventions 1.45.0 for messaging, which are marked as in development
 * there, and `longshore.*` for what they have no word for. Written out, since the package of constants is 3 MB.
 */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';

export const SYSTEM = 'messaging.system.name';
export const OPERATION = 'messaging.operation.name';
/** `send`, `receive`, `process` or `settle`. */
export const OPERATION_TYPE = 'messaging.operation.type';
export const QUEUE = 'messaging.destination.name';
export const JOB = 'messaging.message.id';
/** What to search for. */
export const CORRELATION_ID = 'messaging.message.conversation_id';
export const JOBS = 'messaging.batch.message_count';
export const WORKER = 'messaging.client.id';
export const ERROR_TYPE = 'error.type';

export const TASK = 'longshore.task';
export const ATTEMPT = 'longshore.attempt';
export const OUTCOME = 'longshore.outcome';
/** From claimable to claimed, by the store's clock. */
export const WAIT_MS = 'longshore.wait_ms';
/** Of a run: as long it was in its lane, not in its handler, as while a thread or process started for it. */
export const LANE_MS = 'longshore.lane_ms';
export const FLOW = 'longshore.flow';
export const RUN = 'longshore.run';
/** The part of the run that the job stands for. */
export const PART = 'longshore.part';
/** Of a run, after a decision. */
export const STATE = 'longshore.state';
/** What a decision moved: `charge completed`. */
export const MOVES = 'longshore.moves';
