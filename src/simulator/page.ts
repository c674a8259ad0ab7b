/** The hosted page as HTML. Plain forms do all of the work; the script adds a camera preview and nothing else is lost. */
import { isLeaving, outcomes, outcomesOf, scenarios } from './outcomes.ts';
import { personFields } from './person.ts';
import { isOpen } from './state.ts';
import type { DiditSession } from './state.ts';

export function capturePage(session: DiditSession): string {
  const scenario = scenarios.get(session.scenario ?? '');
  // With a scenario the result is fixed, and all that the person can still decide is to leave.
  const buttons = outcomesOf(session.workflow)
    .filter((name) => scenario === undefined || name === 'approve' || isLeaving(name))
    .map((name) => {
      const isScenario = scenario !== undefined && name === 'approve';
      const label = isScenario ? `Finish: ${session.scenario ?? ''}` : outcomes[name].label;
      const look = name === 'approve' ? ' class="primary"' : '';
      return `<button name="outcome" value="${name}" data-outcome="${name}"${look}>${escape(label)}</button>`;
    });
  const hasDocument = session.workflow.features.includes('ID_VERIFICATION');
  const title = hasDocument ? 'Show a document, take a selfie' : 'Take a selfie';
  const looksAt = hasDocument ? 'your document and your face' : 'your face';
  return layout(
    title,
    `<div class="ring"><video data-preview playsinline muted hidden></video></div>
    <h1>${title}</h1>
    <p>Didit would look at ${looksAt} now. This stand-in looks at nothing: you choose what the check says.</p>
    <p><button type="button" class="link" data-camera hidden>Show the camera preview</button></p>
    <form method="post">${hasDocument ? inputsFor(session) : ''}
    ${buttons.join('\n')}</form>
    <dl><dt>Workflow</dt><dd>${escape(session.workflow.label)}</dd>
    <dt>Session</dt><dd>${String(session.number)}, ${session.environment}</dd></dl>`,
    '<script src="/simulator/page.js" defer></script>',
  );
}

/** What the document says is the visitor's to choose, too. */
function inputsFor({ person }: DiditSession): string {
  return personFields
    .map(
      ({ name, key, label, type }) =>
        `<label>${label}<input name="${name}" type="${type}" value="${escape(person[key])}" required></label>`,
    )
    .join('\n');
}

export function donePage(session: DiditSession): string {
  const isUndone = isOpen(session) || ['Expired', 'Abandoned'].includes(session.status);
  const [title, text] = isUndone
    ? ['This link is over', 'Start again where you came from.']
    : ['The check is finished', 'You can close this page and go on where you began.'];
  return layout(title, `<h1>${title}</h1><p>${text}</p><p>Status: ${session.status}</p>`);
}

export function problemPage(title: string, text: string): string {
  return layout(title, `<h1>${escape(title)}</h1><p>${escape(text)}</p>`);
}

function layout(title: string, content: string, script = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} · Didit simulator</title>
<link rel="stylesheet" href="/simulator/page.css">
<link rel="icon" href="data:,">
${script}
</head>
<body>
<p class="banner" role="note">Didit simulator — no real check happens</p>
<main>${content}</main>
</body>
</html>
`;
}

function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
