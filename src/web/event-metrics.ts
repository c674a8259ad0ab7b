/** What is counted of the audit events: how sign-ins end, how long people wait, what operators are alarmed by. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { type Alarm, type AuditEvent, signInEnds } from '../domain/event.ts';
import { bounded, perLabel, perLabels } from './labels.ts';

/** How a sign-in can end, and what can still become of it afterwards. */
const outcomes = new Map<AuditEvent['event'], string>(
  ([...signInEnds, 'withdrawn'] as const).map((outcome) => [`login.${outcome}`, outcome]),
);

const waits = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300];

export function createEventMetrics(registers: Registry[]) {
  const started = new Counter({
    ...{ registers, name: 'login_starts_total' },
    help: 'Sign-ins that somebody began, "try again" included.',
  });
  const attempts = new Counter({
    ...{ registers, name: 'login_attempts_total' },
    help: 'Sign-ins that ended, by what was decided for them and by how they ended.',
    labelNames: ['decision', 'outcome'],
  });
  const denials = new Counter({
    ...{ registers, name: 'login_denials_total' },
    help: 'Sign-ins that were denied, by reason.',
    labelNames: ['reason'],
  });
  const verdictWait = new Histogram({
    ...{ registers, name: 'verdict_wait_seconds', buckets: waits },
    help: "How long a browser that was back from the selfie waited for Didit's verdict.",
  });
  const toBrowser = new Histogram({
    ...{ registers, name: 'verdict_to_browser_seconds', buckets: waits },
    help: 'From when the verdict and the browser were both there until the browser was let in.',
  });
  const events = new Counter({
    ...{ registers, name: 'audit_events_total' },
    help: 'Audit events, by name.',
    labelNames: ['event'],
  });
  const alarms = new Counter({
    ...{ registers, name: 'operator_alarms_total' },
    help: 'What an operator should look into, by reason.',
    labelNames: ['reason'],
  });

  const reasonLabel = bounded(60);
  const ended = perLabels((decision, outcome) => attempts.labels(decision, outcome));
  const denied = perLabel((reason) => denials.labels(reason));
  const happened = perLabel((event) => events.labels(event));
  const alarmed = perLabel((reason) => alarms.labels(reason));

  return {
    record({ event, decision, reason, waitedMs }: AuditEvent): void {
      happened(event).inc();
      if (event === 'login.started') started.inc();
      const outcome = outcomes.get(event);
      if (outcome !== undefined) ended(decision ?? 'none', outcome).inc();
      if (event === 'login.denied') denied(reasonLabel(reason ?? 'none')).inc();
      if (waitedMs === undefined) return;
      (event === 'login.completed' ? toBrowser : verdictWait).observe(waitedMs / 1000);
    },
    alarm(reason: Alarm['reason']): void {
      alarmed(reason).inc();
    },
  };
}
