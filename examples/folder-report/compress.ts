import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import { UnrecoverableError } from '../../src/index.ts';

export interface Compressed {
  readonly sha256: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

interface Watching {
  readonly signal: AbortSignal;
  /** Told the share read so far, 0 to 1; of large files only. */
  readonly onShare: (share: number) => void;
}

/** For smaller files, opening streams takes longer than the work. */
const LARGE_BYTES = 1_048_576;

/**
 * Reads a file once, through SHA-256 and gzip, in bounded memory. What no later attempt could read fails at once
 * (UnrecoverableError); the rest, such as too many open files, is retried.
 */
export async function hashAndCompress(path: string, watching: Watching): Promise<Compressed> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      return size > LARGE_BYTES ? await throughStreams(file, size, watching) : await atOnce(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explain(path, error);
  }
}

async function atOnce(file: FileHandle): Promise<Compressed> {
  const content = await file.readFile();
  const sha256 = createHash('sha256').update(content).digest('hex');
  const compressed = await promisify(gzip)(content);
  return { sha256, bytes: content.length, gzipBytes: compressed.length };
}

async function throughStreams(file: FileHandle, size: number, watching: Watching): Promise<Compressed> {
  const hash = createHash('sha256');
  let bytes = 0;
  let gzipBytes = 0;
  await pipeline(
    file.createReadStream({ highWaterMark: 256 * 1024, autoClose: false }),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        watching.onShare(Math.min(1, bytes / size));
        yield chunk;
      }
    },
    createGzip(),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) gzipBytes += chunk.length;
    },
    { signal: watching.signal },
  );
  return { sha256: hash.digest('hex'), bytes, gzipBytes };
}

const LASTING: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder, not a file',
  ENOENT: 'it is not there any more, or its name is not valid UTF-8',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its symbolic links go round in a circle',
};

function explain(path: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  const reason = LASTING[code];
  if (reason === undefined) return error;
  return new UnrecoverableError(`Cannot read ${path}: ${reason} (${code}).`, { cause: error });
}
