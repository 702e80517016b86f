/**
 * Flags that say what one process runs: a program text, a check, a prompt, a test run, a snapshot. A child given one of
 * them runs the program again instead of its own.
 */
const PROGRAM = [
  /^-[a-z]*[cehipv]$/,
  /^--(eval|print|check|interactive|help|version|v8-options|completion-bash|prof-process)$/,
  /^--(run|test|watch|input-type|entry-url|experimental-entry-url)$/,
  /^--(test|watch|experimental-test|build)-/,
  /^--(experimental-sea-config|snapshot-blob)$/,
];

/** Flags for one process: a debugger's port can be listened to once, and a profile has one file. */
const ONE_PROCESS = /^--(inspect|debug|cpu-prof|heap-prof)/;

/**
 * The flags of `process.execArgv` for processes that run handlers: loaders and conditions count there, too. A word
 * without a dash is the value of the flag before it, and goes where that goes.
 */
export function inherited(execArgv: readonly string[]): string[] {
  let own = false;
  return execArgv.filter((word) => {
    if (word.startsWith('-')) own = isOwn(word);
    return !own;
  });
}

function isOwn(word: string): boolean {
  const flag = word.replace(/=.*$/s, '').replaceAll('_', '-');
  // `--` would end the flags, and the pool adds some; `-` names standard input.
  return (
    flag === '--' || flag === '-' || ONE_PROCESS.test(flag) || PROGRAM.some((pattern) => pattern.test(flag))
  );
}
