import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { BATCH_CHARS_MAX } from '../../core/batch.ts';
import { Checkpointer } from './checkpoint.ts';
import type { Connection } from './connection.ts';
import { openDatabase } from './database.ts';
import { toWire } from './errors.ts';
import { Heart } from './heart.ts';
import { isPacked, packResult, unpackInput } from './pack.ts';
import type { Call, Errand, FromThread, Reply, ToThread } from './protocol.ts';
import { type Answer, type Hooks, transact, type Work } from './transact.ts';
import { Waker } from './wake.ts';

/**
 * The store thread: owns the connection and runs no handler. It gathers whatever was asked while the last commit was
 * under way and commits that as one group, so that the slower the disk, the larger the groups. Beats run here, too:
 * a caller's thread that is blocked keeps its leases.
 */

const port = parentPort as NonNullable<typeof parentPort>;
const errand = workerData as Errand;

/** Bounds a transaction: others wait for its lock, and beats wait for its end. */
const GROUP_CALLS_MAX = 1_000;
const GROUP_ITEMS_MAX = 10_000;
const GROUP_CHARS_MAX = 4 * BATCH_CHARS_MAX;

interface Waiting extends Work {
  readonly chars: number;
  readonly answer: (answer: Answer) => void;
}

class StoreThread {
  readonly #db: Connection;
  readonly #hooks: Hooks;
  readonly #waker: Waker;
  readonly #heart: Heart;
  readonly #checkpointer: Checkpointer;
  readonly #waiting: Waiting[] = [];
  #replies: Reply[] = [];
  #scheduled = false;
  #closing = false;

  constructor(db: Connection, hooks: Hooks) {
    this.#db = db;
    this.#hooks = hooks;
    this.#checkpointer = new Checkpointer(db);
    this.#waker = new Waker(db, errand.instance, () => say({ type: 'changed' }));
    this.#heart = new Heart({
      beat: (input, answer) => this.#add({ verb: 'beat', input, now: undefined, chars: 0, answer }),
      say,
      file: db.file,
    });
  }

  listen(): void {
    port.on('message', (message: ToThread) => this.#hear(message));
  }

  #hear(message: ToThread): void {
    switch (message.type) {
      case 'calls':
        for (const call of message.calls) this.#addCall(call);
        break;
      case 'watch':
        this.#waker.watch(message.on);
        break;
      case 'touch':
        this.#waker.committed(message.topics);
        break;
      case 'close':
        this.#closing = true;
        this.#schedule();
        break;
      default:
        this.#heart.hear(message);
    }
  }

  #addCall(call: Call): void {
    const { verb, now, chars } = call;
    const input = unpackInput(verb, call.input);
    this.#add({ verb, input, now, chars, answer: (answer) => this.#reply(call, answer) });
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#schedule();
  }

  /** One group a turn of the loop, so that timers (the beats) get their turn however much is asked. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#hearAll();
      if (this.#waiting.length > 0) this.#runGroup();
      if (this.#waiting.length > 0) this.#schedule();
      else if (this.#closing) this.#close();
    });
  }

  #hearAll(): void {
    while (this.#waiting.length < GROUP_CALLS_MAX) {
      const heard = receiveMessageOnPort(port);
      if (heard === undefined) return;
      this.#hear(heard.message as ToThread);
    }
  }

  #runGroup(): void {
    const group = this.#waiting.splice(0, groupLength(this.#waiting));
    const { answers, topics, wrote } = transact(this.#db, group, this.#hooks);
    for (const [index, waiting] of group.entries()) waiting.answer(answers[index] as Answer);
    if (this.#replies.length > 0 || topics.size > 0)
      say({ type: 'replies', replies: this.#replies, topics: [...topics] });
    this.#replies = [];
    if (!wrote) return;
    this.#waker.committed(topics);
    this.#checkpointer.committed();
  }

  #reply({ number, verb }: Call, answer: Answer): void {
    this.#replies.push(
      'error' in answer
        ? { number, error: toWire(answer.error, this.#db.file) }
        : { number, value: packResult(verb, answer.value) },
    );
  }

  #close(): void {
    this.#heart.stop();
    this.#waker.close();
    this.#checkpointer.close();
    try {
      this.#db.close();
      say({ type: 'done', value: null });
    } catch (error) {
      say({ type: 'refused', error: toWire(error, this.#db.file) });
    }
    port.close();
  }
}

function groupLength(waiting: readonly Waiting[]): number {
  let items = 0;
  let size = 0;
  for (const [index, { input, chars }] of waiting.entries()) {
    items += lengthOf(input);
    size += chars;
    if (index + 1 >= GROUP_CALLS_MAX || items >= GROUP_ITEMS_MAX || size >= GROUP_CHARS_MAX) return index + 1;
  }
  return waiting.length;
}

function lengthOf(input: unknown): number {
  if (Array.isArray(input)) return input.length;
  return isPacked(input) ? input.packed : 1;
}

function say(message: FromThread): void {
  port.postMessage(message);
}

async function run(): Promise<void> {
  switch (errand.kind) {
    case 'serve': {
      const hooks: Hooks = errand.hooks === null ? {} : await import(errand.hooks);
      const db = openDatabase(errand.file);
      hooks.opened?.(db);
      new StoreThread(db, hooks).listen();
      say({ type: 'done', value: null });
      return;
    }
    // Loaded on use: a store that serves has no need of them.
    case 'migrate':
      return say({ type: 'done', value: (await import('./errands.ts')).migrateFile(errand.file) });
    case 'plan':
      return say({ type: 'done', value: (await import('./errands.ts')).planFile(errand.file) });
    case 'doctor':
    case 'repair': {
      const { doctor } = await import('./doctor.ts');
      return say({ type: 'done', value: doctor(errand.file, { repair: errand.kind === 'repair' }) });
    }
  }
}

run().catch((error: unknown) => say({ type: 'refused', error: toWire(error, errand.file) }));
