import type { Longshore } from '../connect.ts';
import { BATCH_CHARS_MAX } from '../core/batch.ts';
import { LongshoreError } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import type { EnqueueOptions } from '../queue/enqueue.ts';
import { EXIT } from './exit-codes.ts';
import { parseJson } from './json-text.ts';
import type { Output } from './output.ts';
import { stdinLines } from './stdin.ts';
import { counted } from './text.ts';

/** Lines of a batch, which is smaller where they are long. */
const BATCH = 1_000;

interface Line {
  readonly number: number;
  readonly input: unknown;
}

/** One job for each line of standard input, in batches that are written whole or not at all; ids go to standard output. */
export async function enqueueLines(
  longshore: Longshore,
  target: AnyTask | string,
  options: EnqueueOptions,
  out: Output,
): Promise<number> {
  const ids: string[] = [];
  let enqueued = 0;
  const write = async (lines: readonly Line[]): Promise<void> => {
    const handles = await longshore.enqueueMany(
      target as string,
      lines.map(({ input }) => input),
      options,
    );
    enqueued += handles.length;
    if (out.json) ids.push(...handles.map(({ id }) => id));
    else if (handles.length > 0) out.print(handles.map(({ id }) => id).join('\n'));
  };
  let batch: Line[] = [];
  let chars = 0;
  try {
    for await (const { number, text } of stdinLines()) {
      batch.push({ number, input: parseJson(text, `Line ${number}`) });
      chars += text.length;
      if (batch.length < BATCH && chars < BATCH_CHARS_MAX) continue;
      await write(batch);
      batch = [];
      chars = 0;
    }
    if (batch.length > 0) await write(batch);
  } catch (error) {
    throw atLine(error, batch, enqueued);
  }
  if (out.json) out.document({ enqueued, ids });
  else if (process.stderr.isTTY) out.say(`${counted(enqueued, 'job')} enqueued.`);
  return enqueued > 0 ? EXIT.done : EXIT.failed;
}

/** Says the line instead of the place in the batch, and what is in the store already. */
function atLine(error: unknown, batch: readonly Line[], enqueued: number): unknown {
  if (!(error instanceof LongshoreError)) return error;
  const { index } = error.details as { index?: number };
  const number = index === undefined ? undefined : batch[index]?.number;
  const reason = number === undefined ? error.message : `Line ${number}: ${(error.cause as Error).message}`;
  const done = enqueued === 0 ? 'Nothing was enqueued.' : `Of the lines before, ${enqueued} were enqueued.`;
  const told = error.code === 'UNIQUE_CONFLICT' ? reason : `${reason} ${done}`;
  return new LongshoreError(error.code, told, { cause: error, details: { ...error.details, enqueued } });
}
