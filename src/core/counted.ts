/** `1 job`, `3 jobs`; with a plural also whole phrases: `counted(n, 'worker is alive', 'workers are alive')`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
