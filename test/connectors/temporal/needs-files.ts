/** A workflow that cannot be one: there are no files where workflows run. */
import { readFileSync } from 'node:fs';

export async function readHosts(): Promise<string> {
  return readFileSync('/etc/hosts', 'utf8');
}
