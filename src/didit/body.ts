/** The body of an answer, as far as it may be. */
import { DiditError } from './port.ts';

export async function readAtMost(response: Response, maximumBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body = (response.body ?? []) as AsyncIterable<Uint8Array> | Uint8Array[];
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maximumBytes) throw new DiditError('unavailable', 'the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
