/**
 * node:fs, as this store uses it. An `import` of it reads all of its members, and so loads its promises and streams:
 * 2.5 MB on each of the two threads, a tenth of what a worker may add to Node's own memory.
 */
export const {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  watch,
  writeFileSync,
} = process.getBuiltinModule('node:fs');
