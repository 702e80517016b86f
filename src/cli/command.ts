import type { Command } from 'commander';
import type { Output } from './output.ts';

/** One command of the program: what it takes, and what it does. A file each in commands/. */
export interface CliCommand<Options = Record<string, unknown>> {
  /** Declares arguments, options and examples. */
  define(command: Command): void;
  /** Resolves to the exit code; rejects with what went wrong. */
  run(call: Call<Options>): Promise<number>;
  /** Commands below it, as in `flow cancel ID`; anything else is the command's own argument. */
  readonly verbs?: readonly VerbEntry[];
}

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly command: CliCommand<never>;
}

export interface Call<Options = Record<string, unknown>> {
  readonly args: readonly string[];
  readonly options: Options & GlobalOptions;
  readonly out: Output;
}

/** Understood by every command, before or after its name. */
export interface GlobalOptions {
  readonly store?: string;
  readonly config?: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** Adds examples below a command's help. */
export function examples(command: Command, ...lines: readonly string[]): void {
  command.addHelpText(
    'after',
    `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  $ ${line}`).join('\n')}`,
  );
}
