import { LongshoreError, optionInvalid, requireName, show } from '../core/errors.ts';
import { JOB_STATES, type JobState } from '../core/job-state.ts';
import { TAG_CHARS_MAX } from '../core/meta.ts';
import { adviceFor, isPlainObject, knownNames, unknownName } from '../core/options.ts';
import { requireQueue } from '../core/task.ts';

/** Which jobs a bulk action takes: ids, or those in the states the action allows that meet all criteria. */
export type Selection = string | readonly string[] | Criteria;

/** At least one of them, or `all`. */
export interface Criteria {
  /** Every job the action is possible for; criteria beside it narrow it. */
  readonly all?: true;
  readonly queue?: string;
  readonly task?: string;
  readonly state?: JobState;
  /** Any of these states. Excludes `state`. */
  readonly states?: readonly JobState[];
  /** As in `jobs.list`. */
  readonly correlationId?: string;
  readonly tag?: string;
}

const CRITERIA = knownNames<Criteria>({
  all: true,
  queue: true,
  task: true,
  state: true,
  states: true,
  correlationId: true,
  tag: true,
});

/**
 * The ids, or the criteria. Throws OPTION_INVALID for everything else: a bulk action deletes what it selects, so nothing
 * that was not said selects a job. A criterion that is `undefined` is refused, other than elsewhere: where a variable
 * was to narrow the selection, leaving it out would widen it.
 */
export function requireSelection(selection: unknown): readonly string[] | Criteria {
  if (typeof selection === 'string') return [selection];
  if (Array.isArray(selection))
    return Array.from(selection, (id: unknown, index) => requireId(`selection[${index}]`, id));
  if (!isPlainObject(selection))
    throw optionInvalid('selection', selection, `${EXPECTED}${adviceFor(selection)}${idAdvice(selection)}`);
  const names = Object.keys(selection);
  for (const name of names) {
    if (!CRITERIA.has(name)) throw unknownCriterion(name);
    requireCriterion(name as keyof Criteria, selection[name]);
  }
  if (selection.state !== undefined && selection.states !== undefined)
    throw optionInvalid('selection.states', selection.states, 'to be left out when state is given');
  if (names.length > 0) return selection as Criteria;
  throw new LongshoreError('OPTION_INVALID', `selection is {}, which names no job; expected ${EXPECTED}.`, {
    details: { field: 'selection', value: '{}', expected: EXPECTED },
  });
}

const EXPECTED =
  'an id, an array of ids, an object with queue, task, state, states, correlationId or tag, or { all: true }';

/** Throws OPTION_INVALID. */
export function requireId(field: string, id: unknown): string {
  if (typeof id === 'string') return id;
  throw optionInvalid(field, id, `the id of a job, a string${adviceFor(id)}${idAdvice(id)}`);
}

/** Throws OPTION_INVALID. */
export function requireState(field: string, state: unknown): JobState {
  if ((JOB_STATES as readonly unknown[]).includes(state)) return state as JobState;
  throw optionInvalid(field, state, JOB_STATES.join(', '));
}

function requireCriterion(name: keyof Criteria, value: unknown): void {
  const field = `selection.${name}`;
  if (value === undefined) throw optionInvalid(field, value, 'a value, or to be left out');
  if (name === 'queue') requireQueue(field, value);
  else if (name === 'task') requireName(field, value);
  else if (name === 'state') requireState(field, value);
  else if (name === 'states') requireStates(field, value);
  else if (name === 'correlationId') requireName(field, value);
  else if (name === 'tag') requireName(field, value, TAG_CHARS_MAX);
  else if (value !== true) throw optionInvalid(field, value, 'true, or to be left out');
}

/** An empty list is refused: it may be a list that was to be filled. */
function requireStates(field: string, value: unknown): void {
  if (!Array.isArray(value) || value.length === 0)
    throw optionInvalid(field, value, `an array of one or more of ${JOB_STATES.join(', ')}`);
  for (const [index, state] of value.entries()) requireState(`${field}[${index}]`, state);
}

function unknownCriterion(name: string): LongshoreError {
  if (name !== 'id' && name !== 'ids') return unknownName('selection has no criterion', name, CRITERIA);
  const message = `selection has no criterion ${show(name)}; give the id itself, or an array of ids.`;
  return new LongshoreError('OPTION_INVALID', message, { details: { field: name, known: [...CRITERIA] } });
}

/** A handle or a view of a job was given. */
function idAdvice(value: unknown): string {
  try {
    return typeof (value as { id?: unknown } | null | undefined)?.id === 'string' ? '; give its id' : '';
  } catch {
    return ''; // a revoked proxy
  }
}
