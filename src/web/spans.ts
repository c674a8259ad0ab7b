/**
 * OpenTelemetry spans, where somebody loaded an SDK before us (`node --import …`). Without one nothing is made, and
 * nothing is asked for each time. Attributes are words of ours: no id, no address, no query.
 */
import {
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  context,
  isSpanContextValid,
  propagation,
  trace,
} from '@opentelemetry/api';

type Attributes = Readonly<Record<string, string | number>>;

export interface Spans {
  /** A request to us. `work` is told the span, to name it once the route is known. */
  serve<T>(headers: object, work: (span: Span) => Promise<T>): Promise<T>;
  /** A request of ours, to Didit or to the store. */
  call<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
}

const name = 'didit-oidc';

/** @returns undefined where no SDK is loaded. */
export function createSpans(): Spans | undefined {
  const tracer = loadedTracer();
  if (!tracer) return undefined;
  return {
    serve(headers, work) {
      // An instrumentation of Node's HTTP has begun a span already; else the proxy's is the parent.
      const isUnderWay = trace.getActiveSpan() !== undefined;
      const parent = isUnderWay ? context.active() : propagation.extract(context.active(), headers);
      return tracer.startActiveSpan('request', { kind: SpanKind.SERVER }, parent, (span) =>
        ending(span, () => work(span)),
      );
    },
    call: (what, attributes, work) =>
      tracer.startActiveSpan(what, { kind: SpanKind.CLIENT, attributes }, (span) =>
        ending(span, work),
      ),
  };
}

function loadedTracer(): Tracer | undefined {
  const tracer = trace.getTracer(name);
  // Without an SDK every span is the same empty one. This one is never ended, so nobody gets to see it.
  return isSpanContextValid(tracer.startSpan('start').spanContext()) ? tracer : undefined;
}

/** What went wrong stands in the log; the message of an error may quote what somebody sent. */
async function ending<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
