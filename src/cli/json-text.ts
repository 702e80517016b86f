import { LongshoreError } from '../core/errors.ts';

/** JSON that people give: errors say where. `typed`: in a shell, which may have eaten quotes. Throws PAYLOAD_NOT_JSON. */
export function parseJson(text: string, what: string, { typed = false } = {}): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new LongshoreError(
      'PAYLOAD_NOT_JSON',
      `${what} is not JSON: ${located(reason, text)}.${typed ? hint(text) : ''}`,
      {
        cause,
        details: { what, starts: text.slice(0, 80) },
      },
    );
  }
}

/** V8 gives the place of most faults, but for an unexpected token it quotes the text instead. */
function located(reason: string, text: string): string {
  const [, problem, line, column] =
    /^(.*) in JSON at position \d+ \(line (\d+) column (\d+)\)$/s.exec(reason) ?? [];
  if (problem !== undefined) return `${problem} at line ${line}, column ${column}`;
  if (!reason.startsWith('Unexpected token')) return `${reason} at the end, after ${text.length} characters`;
  const at = offset(text);
  const before = text.slice(0, at).split('\n');
  return `unexpected ${JSON.stringify(text[at])} at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The shortest beginning that already has the fault ends with it; found by bisection. */
function offset(text: string): number {
  let sound = 0;
  let faulty = text.length;
  while (faulty - sound > 1) {
    const middle = (sound + faulty) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) faulty = middle;
    else sound = middle;
  }
  return sound;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as Error).message.startsWith('Unexpected token');
  }
}

function hint(text: string): string {
  if (/^\s*[{[]/.test(text)) return ` Quote JSON for the shell: '{"path":"a.png"}'.`;
  if (/^[\w .-]+$/.test(text)) return ` A string needs its quotes: '${JSON.stringify(text)}'.`;
  return '';
}
