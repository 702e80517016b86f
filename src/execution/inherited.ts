/** Of one process only: a debugger's port can be listened to once, and one process watches files, tests, or is profiled. */
const OWN = /^--(inspect|watch|test|cpu-prof|heap-prof)/;

/**
 * Flags of Node, of `process.execArgv`, for processes that run handlers: loaders and conditions count there, too. A word
 * without a dash is the value of the flag before it, and goes where that goes.
 */
export function inherited(execArgv: readonly string[]): string[] {
  let own = false;
  return execArgv.filter((word) => {
    if (word.startsWith('-')) own = OWN.test(word);
    return !own;
  });
}
