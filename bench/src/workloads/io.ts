import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { defineTask } from '../longshore.ts';
import { recorded, type WorkInput } from './job-run.ts';

/** Writes blocks to a file of the job's own, each with an fsync that it waits for, then reads the file back and removes it. */
export const io = defineTask({
  name: 'work-io',
  run: ({ input }) =>
    recorded(input as WorkInput, async ({ n, amount, folder }) => {
      const path = join(folder, `job-${n}`);
      const file = await open(path, 'w+');
      try {
        await writeDurably(file, n, amount);
        return { result: await checksum(file) };
      } finally {
        await file.close();
        await rm(path, { force: true });
      }
    }),
});

const BLOCK_BYTES = 65_536;
/** The file starts again from its beginning then: long work must not fill the disk. */
const BLOCKS_MAX = 16;

export async function writeDurably(file: FileHandle, n: number, writes: number): Promise<void> {
  const block = Buffer.alloc(BLOCK_BYTES);
  for (let write = 0; write < writes; write += 1) {
    fill(block, n, write);
    await file.write(block, 0, BLOCK_BYTES, (write % BLOCKS_MAX) * BLOCK_BYTES);
    await file.sync();
  }
}

/** What reading the file back after so many writes must give. */
export function writtenChecksum(n: number, writes: number): number {
  const block = Buffer.alloc(BLOCK_BYTES);
  let sum = 0;
  for (let place = 0; place < Math.min(writes, BLOCKS_MAX); place += 1) {
    // The last write to this place.
    const write = place + BLOCKS_MAX * Math.floor((writes - 1 - place) / BLOCKS_MAX);
    fill(block, n, write);
    sum = crc32(block, sum);
  }
  return sum;
}

async function checksum(file: FileHandle): Promise<number> {
  const block = Buffer.alloc(BLOCK_BYTES);
  let sum = 0;
  for (let position = 0; ; position += BLOCK_BYTES) {
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return sum;
    sum = crc32(block.subarray(0, bytesRead), sum);
  }
}

function fill(block: Buffer, n: number, write: number): void {
  block.fill(`job ${n} write ${write};`);
}
