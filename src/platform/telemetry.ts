/**
 * Traces by the runtime's own OpenTelemetry, which is on where the process was started with OTEL_DENO=true. Where it is
 * off, all of this costs nothing.
 *
 * @module
 */

/** Values that a span may have. */
export type SpanValue = string | number | boolean;

/** A piece of work that is being traced. */
export interface TracedSpan {
  set(name: string, value: SpanValue): void;
  /** It went wrong; what it says is in the trace. */
  fail(message: string): void;
}

/** The part of the OpenTelemetry API that is used. The runtime has it, its types don't. */
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

/** Undefined where telemetry is off. */
const tracer = ((): RuntimeTracer | undefined => {
  try {
    const { telemetry } = Deno as unknown as {
      telemetry?: { tracerProvider: { getTracer(name: string): RuntimeTracer } };
    };
    const t = telemetry?.tracerProvider.getTracer("mox");
    // Throws where it is off.
    t?.startSpan("mox start").end();
    return t;
  } catch {
    return undefined;
  }
})();

/** Whether the process was started with telemetry. */
export const telemetryOn: boolean = tracer !== undefined;

/** Runs the function as a span, within the one that runs it. What it throws is in the trace too. */
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
 * Gives a line of the log to the exporter of logs, which takes what is written to the console. With
 * OTEL_DENO_CONSOLE=replace the runtime does not write it as well.
 */
export function exportLine(severity: "error" | "warn" | "info" | "debug", line: string): void {
  // deno-lint-ignore no-console -- the only way into the runtime's exporter
  console[severity](line);
}
