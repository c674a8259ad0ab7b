import type { Config } from '../../config/schema.ts';
import { DiditError } from '../../didit/port.ts';
import { createDiditSettings } from '../../didit/settings.ts';

/** Looks for our workflow with it, which costs nothing. @throws when that is refused, or is not there. */
export async function tryDiditKey({ didit }: Config, apiKey: string): Promise<void> {
  const settings = createDiditSettings({ ...didit, apiKey, fetch, clock: Date.now });
  const found = await settings.findWorkflow(didit.workflows.passive).catch((cause: unknown) => {
    const isRefused = cause instanceof DiditError && cause.failure === 'refused';
    const message = isRefused ? 'Didit does not accept the key' : 'Didit cannot be asked';
    throw new Error(`${message}; nothing was changed`, { cause });
  });
  if (!found) {
    throw new Error(
      'the key is of another application: it has not our workflow; nothing was changed',
    );
  }
}
