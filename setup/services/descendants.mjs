/** The processes that a process started, and theirs: a server's own workers. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * @param {number} pid
 * @returns {number[]}
 */
export function descendants(pid) {
  const pairs = process.platform === 'linux' ? fromProc() : process.platform === 'win32' ? [] : fromPs();
  const found = [];
  const visit = (parent) => {
    for (const [child, its] of pairs) {
      if (its !== parent) continue;
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

/**
 * Where nobody collects the dead they stay in the table, so a number alone says nothing.
 * @param {number} pid
 */
export function isRunning(pid) {
  try {
    return process.platform === 'linux' ? fields(pid)[0] !== 'Z' : process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Not by `ps`, which small images lack. */
function fromProc() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [[Number(name), Number(fields(name)[1])]];
      } catch {
        return [];
      }
    });
}

/** Of proc(5), from the state on: the field before is the program's name in parentheses, which may hold anything. */
function fields(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function fromPs() {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => line.trim().split(/\s+/).map(Number));
}
