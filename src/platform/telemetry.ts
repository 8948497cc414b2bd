/**
 * Traces by the runtime's own OpenTelemetry, which is on if the process was started with OTEL_DENO=true. If
 * off, all of this costs nothing.
 *
 * @module
 */

/** Attribute values of a span. */
export type SpanValue = string | number | boolean;

/** A traced piece of work. */
export interface TracedSpan {
  set(name: string, value: SpanValue): void;
  /** Marks it as failed; the message is in the trace. */
  fail(message: string): void;
}

/** The part of the OpenTelemetry API that is used. The runtime provides it; its types lack it. */
interface RuntimeSpan {
  setAttribute(name: string, value: SpanValue): void;
  setStatus(status: { code: number; message?: string }): void;
  end(): void;
}
interface RuntimeTracer {
  startSpan(name: string): RuntimeSpan;
  startActiveSpan<T>(
    name: string,
    options: { attributes: Record<string, SpanValue> },
    fn: (span: RuntimeSpan) => T,
  ): T;
}

/** SpanStatusCode ERROR. */
const failed = 2;
const nothing: TracedSpan = { set: () => {}, fail: () => {} };

/** Undefined if telemetry is off. */
const tracer = ((): RuntimeTracer | undefined => {
  try {
    const { telemetry } = Deno as unknown as {
      telemetry?: { tracerProvider: { getTracer(name: string): RuntimeTracer } };
    };
    const t = telemetry?.tracerProvider.getTracer("mox");
    // Throws if it is off.
    t?.startSpan("mox start").end();
    return t;
  } catch {
    return undefined;
  }
})();

/** Whether the process was started with telemetry. */
export const telemetryOn: boolean = tracer !== undefined;

/** Runs the function as a span within the current one. What it throws is also in the trace. */
export async function traced<T>(
  name: string,
  attributes: Record<string, SpanValue>,
  fn: (span: TracedSpan) => Promise<T>,
): Promise<T> {
  if (tracer === undefined) return await fn(nothing);
  return await tracer.startActiveSpan(name, { attributes }, async (span) => {
    const fail = (message: string) => span.setStatus({ code: failed, message });
    try {
      return await fn({ set: (key, value) => span.setAttribute(key, value), fail });
    } catch (err) {
      fail(err instanceof Error ? err.message : String(err));
      throw err;
    } finally {
      span.end();
    }
  });
}

/**
 * Passes a log line to the log exporter, which reads the console. With OTEL_DENO_CONSOLE=replace the runtime
 * does not also print it.
 */
export function exportLine(severity: "error" | "warn" | "info" | "debug", line: string): void {
  // deno-lint-ignore no-console -- the only way into the runtime's exporter
  console[severity](line);
}
