/** Runs a job on the store of each URL given, and one in a thread; prints results, or what went wrong. */
import { connect } from 'longshore';
import { inline, inThread } from './tasks.mjs';

async function runOn(url, task) {
  const longshore = await connect(url);
  try {
    await longshore.worker({ tasks: [task], threads: 1 }).start();
    const job = await longshore.enqueue(task, 21);
    return await job.result({ timeoutMs: 60_000 });
  } finally {
    await longshore.close();
  }
}

async function say(name, url, task) {
  const result = await runOn(url, task).catch(({ code, message }) => `${code} ${message}`);
  console.log(`${name}\t${result}`);
}

async function main() {
  for (const url of process.argv.slice(2)) await say(url.replace(/:.*/s, ''), url, inline);
  await say('thread', 'memory:', inThread);
}

main();
