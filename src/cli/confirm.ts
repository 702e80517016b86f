import { createInterface } from 'node:readline/promises';
import { UsageError } from './exit-codes.ts';
import type { Output } from './output.ts';

/** Asks before something that cannot be undone. Throws USAGE where there is nobody to ask. */
export async function confirm(question: string, out: Output): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${question} This cannot be undone; add --yes to do it without being asked.`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  prompt.once('close', () => gone.abort());
  prompt.once('SIGINT', () => prompt.close());
  try {
    const answer = await prompt.question(`${question} This cannot be undone. [y/N] `, {
      signal: gone.signal,
    });
    if (/^y(es)?$/i.test(answer.trim())) return true;
  } catch {
    out.say('');
  } finally {
    prompt.close();
  }
  out.say('Nothing was done.');
  return false;
}
