/** Whether the workflows at Didit check what a login and an enrolment are judged by. */
import type { DiditWorkflow } from '../../didit/settings.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

const inConsole = "in Didit's console";

/** @param method that a login by this workflow insists on. */
export function loginWorkflow(
  workflow: DiditWorkflow | undefined,
  method: 'PASSIVE' | 'ACTIVE_3D' = 'PASSIVE',
): Finding[] {
  const isPassive = method === 'PASSIVE';
  const name = isPassive ? 'workflow' : 'active workflow';
  const variable = isPassive ? 'DIDIT_WORKFLOW_PASSIVE' : 'DIDIT_WORKFLOW_ACTIVE';
  if (!workflow) return [unknown(name, variable)];
  const lacking = lacks(workflow, ['LIVENESS', 'FACE_MATCH']);
  if (lacking) {
    return [problem(name, `${lacking}: no selfie can open the door`, `Add it ${inConsole}.`)];
  }
  const { livenessMethod = 'PASSIVE' } = workflow;
  if (livenessMethod !== method) {
    return [
      problem(
        name,
        `its liveness is ${livenessMethod}: no selfie can open the door`,
        `Choose ${method} ${inConsole}.`,
      ),
    ];
  }
  return workflow.features.has('IP_ANALYSIS')
    ? [ok(name, 'liveness, face match and IP analysis')]
    : [
        warning(
          name,
          'lacks IP_ANALYSIS: nobody can see whether a selfie was taken where it was asked for',
          `Add it ${inConsole}; without it each login waits three seconds.`,
        ),
      ];
}

export function enrolmentWorkflow(
  workflow: DiditWorkflow | undefined,
  allowFlashing: boolean,
): Finding[] {
  const name = 'enrolment';
  if (!workflow) return [unknown(name, 'DIDIT_WORKFLOW_KYC')];
  // Configurations call the document OCR, decisions ID_VERIFICATION.
  const document = workflow.features.has('ID_VERIFICATION') ? 'ID_VERIFICATION' : 'OCR';
  const lacking = lacks(workflow, [document, 'LIVENESS', 'FACE_MATCH']);
  if (lacking) {
    return [problem(name, `${lacking}: nobody can enrol`, `Add it ${inConsole}.`)];
  }
  if (workflow.livenessMethod === 'FLASHING' && !allowFlashing) {
    return [
      problem(
        name,
        'its liveness is FLASHING, which can trigger seizures: nobody can enrol',
        `Choose another method ${inConsole}, or set DIDIT_ALLOW_FLASHING knowingly.`,
      ),
    ];
  }
  return workflow.features.has('IP_ANALYSIS')
    ? [ok(name, 'document, liveness, face match and IP analysis')]
    : [
        warning(
          name,
          'lacks IP_ANALYSIS: nobody can see whether somebody enrolled where it was asked for',
          `Add it ${inConsole}.`,
        ),
      ];
}

function unknown(name: string, variable: string): Finding {
  const advice = `Set ${variable} to the id of a workflow of this application.`;
  return problem(name, 'Didit has none with this id', advice);
}

function lacks({ features }: DiditWorkflow, wanted: readonly string[]): string | undefined {
  const missing = wanted.filter((feature) => !features.has(feature));
  return missing.length > 0 ? `lacks ${missing.join(' and ')}` : undefined;
}
