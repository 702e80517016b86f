import { UnrecoverableError } from '../core/errors.ts';
import { memberOf } from '../core/legible.ts';
import type { Json } from '../core/payload.ts';

export interface BpmnErrorOptions extends ErrorOptions {
  /** Variables that the process gets with the error, by their names. */
  readonly variables?: Readonly<Record<string, Json>>;
}

/**
 * Throw it from a handler: the process goes on at the boundary event or event subprocess that catches `errorCode`. It is no
 * failure: no attempt is charged, and no incident made. Where nothing catches it, the engine ends that path of the process.
 */
export class BpmnError extends UnrecoverableError {
  override readonly name = 'BpmnError';
  readonly errorCode: string;
  readonly variables: Readonly<Record<string, Json>>;

  constructor(errorCode: string, message: string = errorCode, options: BpmnErrorOptions = {}) {
    const { variables = {}, ...rest } = options;
    super(message, rest);
    this.errorCode = errorCode;
    this.variables = variables;
  }
}

/** What is read of one; an error that came from a thread has its name and properties, and not its class. */
export interface BpmnErrorFacts {
  readonly errorCode: string;
  readonly message: string;
  readonly variables: Readonly<Record<string, Json>>;
}

/** Null for any other error. */
export function bpmnErrorOf(error: Error): BpmnErrorFacts | null {
  const errorCode = memberOf(error, 'errorCode');
  if (error.name !== 'BpmnError' || typeof errorCode !== 'string' || errorCode === '') return null;
  const variables = memberOf(error, 'variables');
  const isObject = typeof variables === 'object' && variables !== null;
  return {
    errorCode,
    message: error.message,
    variables: isObject ? (variables as Record<string, Json>) : {},
  };
}
