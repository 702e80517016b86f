import { createInterface } from 'node:readline/promises';
import { EXIT, UsageError } from './exit-codes.ts';
import type { Output } from './output.ts';

/** Asks before something large. Throws USAGE where there is nobody to ask. */
export async function confirm(question: string, out: Output): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${question} There is nobody to ask; add --yes to do it.`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  prompt.once('close', () => gone.abort());
  prompt.once('SIGINT', () => {
    out.say('');
    process.exit(EXIT.interrupted);
  });
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal: gone.signal });
    if (/^y(es)?$/i.test(answer.trim())) return true;
  } catch {
    // Ctrl-D: no answer is no.
    out.say('');
  } finally {
    prompt.close();
  }
  out.say('Nothing was done.');
  return false;
}
