/** A sign-in with an OpenTelemetry SDK loaded, in a process of its own; prints its spans, and what must not be in them. */
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createBrowser, createParty, signIn } from './login.ts';
import { startTestbed } from './testbed.ts';

const exporter = new InMemorySpanExporter();
if (process.argv[2] !== 'without') {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
}
const lines: string[] = [];
const bed = await startTestbed({ log: (line) => void lines.push(line) });
const party = await createParty(bed);
const request = await party.begin();
const tokens = await request.finish(await signIn(createBrowser(), request, 'ana@example.com'));
await bed.close();

const spans = exporter.getFinishedSpans().map((span) => ({
  name: span.name,
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parentId: span.parentSpanContext?.spanId,
  attributes: span.attributes,
  events: span.events,
  status: span.status,
}));
const canaries = [
  ...['ana@example.com', '127.0.0.1', new URL(request.url).search],
  ...[tokens.access_token, String(tokens.id_token), bed.clientSecret, bed.apiKey],
  ...bed.events.flatMap(({ attempt, account, reference }) => [attempt, account, reference]),
].filter((canary) => canary !== undefined);
const requestIds = lines.flatMap((line) => {
  const { message, requestId } = JSON.parse(line) as { message: string; requestId?: string };
  return message === 'request' ? [requestId] : [];
});
process.stdout.write(JSON.stringify({ spans, canaries, requestIds }));
