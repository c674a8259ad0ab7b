/** What an answer that is no success means. */
import { type Deletion, DiditError } from './port.ts';
import type { DiditAnswer } from './transport.ts';
import { readErrorBody } from './wire.ts';

export function names(body: unknown, field: string): boolean {
  return readErrorBody(body).some((message) => message.field === field);
}

export function refusal({ status, body }: Pick<DiditAnswer, 'status' | 'body'>): DiditError {
  if (names(body, 'portrait_image')) {
    return new DiditError('not_enrolled', 'no usable reference face');
  }
  if (names(body, 'vendor_data')) return new DiditError('blocked', 'Didit has blocked this person');
  const fields = readErrorBody(body).map(({ field }) => field);
  return new DiditError(
    'refused',
    `Didit answered ${status} about ${fields.join(', ') || 'nothing'}`,
  );
}

/** @throws for anything but success and "there is none": what may still be there has not been deleted. */
export function deletionOf(answer: DiditAnswer): Deletion {
  if (answer.status === 404) return 'absent';
  if (answer.status === 200 || answer.status === 204) return 'deleted';
  throw refusal(answer);
}
