import { LongshoreError } from '../core/errors.ts';
import { reasonOf } from '../core/legible.ts';

/** Reads JSON of bounded size. Undefined without a body. */
export async function readJson(request: Request, bytesMax: number): Promise<unknown> {
  const announced = request.headers.get('content-length');
  if (announced !== null && Number(announced) > bytesMax) throw tooLarge(bytesMax);
  const bytes = await readBytes(request, bytesMax);
  if (bytes.length === 0) return undefined;
  requireJson(request.headers.get('content-type'));
  return parse(bytes);
}

async function readBytes({ body }: Request, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (body === null) return new Uint8Array();
  // Leaving the loop early cancels the stream.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size);
}

/** Forms of other sites can send text and forms without asking the browser, but no JSON. */
function requireJson(type: string | null): void {
  if (type !== null && /^application\/([\w.-]+\+)?json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type.trim()))
    return;
  throw new LongshoreError(
    'HTTP_MEDIA_TYPE_REFUSED',
    `The body's Content-Type is ${type === null ? 'missing' : JSON.stringify(type.slice(0, 80))}; send JSON as application/json.`,
  );
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new LongshoreError('HTTP_REQUEST_INVALID', `The body is not JSON: ${reasonOf(cause)}.`, { cause });
  }
}

function tooLarge(bytesMax: number): LongshoreError {
  return new LongshoreError(
    'PAYLOAD_TOO_LARGE',
    `The body is larger than ${bytesMax} bytes (bodyBytesMax); send fewer jobs at a time.`,
    { details: { bytesMax } },
  );
}
