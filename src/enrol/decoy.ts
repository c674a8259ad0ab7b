/** For names that lead to nobody: a picture of nobody, and ids that only our key can compute. */
import { createHmac } from 'node:crypto';
import { readPortrait } from './person.ts';

/** @param file without one, who tries names can tell which of them have an account: `serve` and the doctor say so. */
export async function createDecoy(file: string | undefined, secret: string) {
  const key = createHmac('sha256', secret).update('didit-oidc decoy').digest();
  return {
    portraitImage: file === undefined ? undefined : (await readPortrait(file)).toString('base64'),
    /** As long as the ids of real enrolments, and the same for the same name each time. */
    nameFor: (name: string): string =>
      createHmac('sha256', key).update(name).digest('base64url').slice(0, 22),
  };
}
