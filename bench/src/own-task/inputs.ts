import { readFileSync } from 'node:fs';
import { parseJson, UsageError } from './cli.ts';

/** The inputs of a measurement: JSON values, which jobs get by turns. */
export interface InputOptions {
  readonly input?: readonly string[];
  readonly inputs?: string;
}

/** Without any, one that is not there. Throws PAYLOAD_NOT_JSON, USAGE. */
export function readInputs({ input = [], inputs: file }: InputOptions): unknown[] {
  const given = input.map((text) => parseJson(text, '--input', { typed: true }));
  const all = file === undefined ? given : [...given, ...linesOf(file)];
  return all.length === 0 ? [undefined] : all;
}

function linesOf(file: string): unknown[] {
  const lines = textOf(file).split('\n');
  const values = lines.flatMap((line, at) =>
    line.trim() === '' ? [] : [parseJson(line, `${file}, line ${at + 1},`)],
  );
  if (values.length > 0) return values;
  throw new UsageError(`--inputs ${file} has no line of JSON; expected one input a line.`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `--inputs ${file} cannot be read (${code}); expected a file with one input as JSON a line.`,
    );
  }
}
