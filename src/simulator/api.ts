/** Didit's API: the paths, fields and refusals of its documentation, behind the simulator's state. */
import { addConsoleCalls } from './api-console.ts';
import { addSessionCalls } from './api-sessions.ts';
import type { ApiParts } from './api-sessions.ts';
import { addShareCalls } from './api-share.ts';
import { addTemplateCalls } from './api-templates.ts';
import { addUserCalls } from './api-users.ts';

export function addApi(parts: ApiParts): void {
  addSessionCalls(parts);
  addConsoleCalls(parts);
  addUserCalls(parts);
  addTemplateCalls(parts);
  addShareCalls(parts);
}
