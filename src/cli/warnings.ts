/** Node announces node:sqlite and type stripping as experimental at every start; nobody who runs jobs needs to read that. */
export function quietWarnings(): void {
  const printers = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && /sqlite|type stripping/i.test(warning.message)) return;
    for (const print of printers) print(warning);
  });
}
