import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

/**
 * Workloads are data: a JSON file says which trials are made, over a matrix of settings, and what is asked of their figures.
 * bench/workloads holds those of the commands; `npm run bench -- run FILE` takes any other.
 */
const Setting = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const Settings = Type.Record(Type.String(), Setting);
const Matrix = Type.Record(Type.String(), Type.Array(Setting, { minItems: 1 }));

const Group = Type.Object(
  {
    trial: Type.String({ description: 'name out of trials.ts' }),
    title: Type.Optional(Type.String()),
    with: Type.Optional(Settings),
    matrix: Type.Optional(Matrix),
    by: Type.Optional(
      Type.Record(Type.String(), Type.Record(Type.String(), Settings), {
        description: 'setting, its value, and what else holds for that value',
      }),
    ),
    rounds: Type.Optional(Type.Integer({ minimum: 1 })),
    short: Type.Optional(
      Type.Object(
        {
          with: Type.Optional(Settings),
          matrix: Type.Optional(Matrix),
          leaveOut: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const TargetRule = Type.Object(
  {
    name: Type.String(),
    where: Settings,
    figure: Type.String(),
    operator: Type.Union([Type.Literal('>'), Type.Literal('<')]),
    limit: Type.Number(),
    unit: Type.String(),
  },
  { additionalProperties: false },
);

export const WorkloadFile = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    description: Type.String(),
    rounds: Type.Integer({ minimum: 1 }),
    groups: Type.Array(Group, { minItems: 1 }),
    targets: Type.Optional(Type.Array(TargetRule)),
  },
  { additionalProperties: false },
);
export type WorkloadFile = Static<typeof WorkloadFile>;
export type TargetRule = Static<typeof TargetRule>;
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** One cell to measure. */
export interface CellPlan {
  readonly id: string;
  readonly trial: string;
  readonly settings: Settings;
  readonly rounds: number;
}

/** Throws where the text is no workload file, and says where and why. */
export function parseWorkload(text: string, name: string): WorkloadFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (Value.Check(WorkloadFile, value)) return value;
  const [first] = Value.Errors(WorkloadFile, value);
  const problem =
    first?.message === 'schema is false' ? 'is not known' : (first?.message ?? 'is no workload');
  throw new Error(`${name}: ${first?.instancePath || 'the whole'} ${problem}.`);
}

export interface PlanOptions {
  /** The form that takes minutes. */
  readonly short: boolean;
  readonly rounds: number | null;
  /** Only cells with these settings, as `--only handler=none`. */
  readonly only: readonly (readonly [name: string, value: string])[];
}

/** Every cell of the file, in its order. */
export function planOf(file: WorkloadFile, { short, rounds, only }: PlanOptions): CellPlan[] {
  const plans: CellPlan[] = [];
  for (const group of file.groups) {
    if (short && group.short?.leaveOut === true) continue;
    const matrix = { ...group.matrix, ...(short ? group.short?.matrix : {}) };
    for (const chosen of productOf(matrix)) {
      const settings = settingsOf(group, chosen, short);
      const all: Settings = { trial: group.trial, ...settings };
      if (only.some(([name, value]) => String(all[name]) !== value)) continue;
      const named = Object.entries(chosen).map(([name, value]) => `${name}=${value}`);
      const id = [group.title ?? group.trial, ...named].join(' ');
      plans.push({
        id,
        trial: group.trial,
        settings,
        rounds: rounds ?? (short ? 1 : (group.rounds ?? file.rounds)),
      });
    }
  }
  return plans;
}

/** What is more special wins: `with`, then `by`, then the short form, then the matrix. */
function settingsOf(
  { with: all, by, short: brief }: Static<typeof Group>,
  chosen: Settings,
  short: boolean,
): Settings {
  const special = Object.entries(by ?? {}).map(
    ([name, values]) => values[String(chosen[name] ?? all?.[name])] ?? {},
  );
  return Object.assign({}, all, ...special, short ? brief?.with : {}, chosen) as Settings;
}

function productOf(matrix: Readonly<Record<string, readonly (string | number | boolean)[]>>): Settings[] {
  return Object.entries(matrix).reduce<Settings[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}
