import { styleText } from 'node:util';
import { LongshoreError } from '../core/errors.ts';
import { isError, reasonOf } from '../core/legible.ts';
import type { Format } from '../telemetry/terminal.ts';
import { codeOf, EXIT, exitCodeOf } from './exit-codes.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './text.ts';

/**
 * What the program says, and where: data to standard output, messages for people to standard error. With `json`,
 * standard output carries JSON only. Colours where the stream is a terminal; NO_COLOR and FORCE_COLOR decide otherwise.
 */
export class Output {
  readonly json: boolean;
  readonly #verbose: boolean;
  /** What to do when the reader has gone away (`| head`): end quietly. */
  onReaderGone: () => void = () => process.exit(EXIT.done);

  constructor(options: { readonly json: boolean; readonly verbose: boolean }) {
    this.json = options.json;
    this.#verbose = options.verbose || !['', '0', undefined].includes(process.env.LONGSHORE_DEBUG);
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
        this.onReaderGone();
      });
    }
  }

  /** Data. */
  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** The one document of a command with --json; indented where a person looks. */
  document(value: unknown): void {
    this.print(process.stdout.isTTY ? JSON.stringify(value, null, 2) : JSON.stringify(value));
  }

  /** A message for people. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  paint(format: Format, text: string): string {
    return styleText(format, text, { stream: process.stdout });
  }

  paintMessage(format: Format, text: string): string {
    return styleText(format, text, { stream: process.stderr });
  }

  /** Rows under aligned titles, fitted to the terminal. */
  table<Row>(
    columns: readonly Column<Row>[],
    rows: readonly Row[],
    options: { readonly titles?: boolean } = {},
  ): void {
    const width = process.stdout.isTTY ? process.stdout.columns : null;
    const paint = (format: Format, text: string): string => this.paint(format, text);
    for (const line of tableLines(columns, rows, { width, paint, titles: options.titles ?? true }))
      this.print(line);
  }

  /** Says what went wrong in a line or two; the stack only for those who asked. */
  fail(error: unknown): void {
    const code = codeOf(error);
    const message = reasonOf(error);
    if (this.json) {
      const details = error instanceof LongshoreError ? error.details : {};
      this.document({ error: { code, message, details, exitCode: exitCodeOf(error) } });
    }
    this.say(
      `${this.paintMessage('red', `error ${code}:`)} ${message.split('\n').map(printable).join('\n')}`,
    );
    if (code === 'UNEXPECTED' && !this.#verbose)
      this.say('This is a fault of longshore itself; --verbose shows where.');
    if (this.#verbose && isError(error)) this.say(stackOf(error));
  }
}

function stackOf(error: Error): string {
  let text = error.stack ?? '';
  for (let cause = error.cause; isError(cause); cause = cause.cause) text += `\ncaused by: ${cause.stack}`;
  return text;
}
