/**
 * URL or path of the module that called `callee`, as the engine names it; `null` where it has none (a REPL, `--eval`).
 * Read from the raw frames and not from the stack's text, which source maps and other programs rewrite.
 */
export function callSite(callee: (...args: never) => unknown): string | null {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const at: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, frames) => frames[0]?.getFileName() ?? null;
    Error.captureStackTrace(at, callee);
    // The trace is prepared when it is first read, or at once: by now in either case.
    const file = at.stack;
    return typeof file === 'string' && PLACE.test(file) ? file : null;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What can be imported by its name alone: Node's own modules and evaluated text cannot. */
const PLACE = /^(file:|data:|\/|[A-Za-z]:[\\/])/;
