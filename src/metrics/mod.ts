/**
 * Prometheus metrics of the whole server, in one registry.
 *
 * Packages make their metrics at import time through {@link counter}, {@link gauge} and
 * {@link histogram}. Counters whose label values are known beforehand are set to 0 for each of them,
 * because rate() and increase() see no rise in a series that first appears with the value 1.
 *
 * Imports prom-client only; everything may import it.
 *
 * @module
 */
import prom from "prom-client";

/** The registry that the metrics listener serves. */
export const registry = new prom.Registry();

/** Label names with all their possible values. */
export type LabelValues = Record<string, readonly string[]>;

/** Makes a counter; each combination of the given label values starts at 0. */
export function counter(name: string, help: string, labels: LabelValues = {}): prom.Counter {
  const names = Object.keys(labels);
  const c = new prom.Counter({ name, help, labelNames: names, registers: [registry] });
  for (const combination of combinations(labels)) c.inc(combination, 0);
  return c;
}

/** Makes a gauge, set from {@link collect} at each scrape if given. */
export function gauge(
  name: string,
  help: string,
  labelNames: string[] = [],
  collect?: (g: prom.Gauge) => void,
): prom.Gauge {
  return new prom.Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      collect?.(this as unknown as prom.Gauge);
    },
  });
}

/** Makes a histogram; the buckets are upper bounds in the unit that the name ends with. */
export function histogram(
  name: string,
  help: string,
  labelNames: string[],
  buckets: number[],
): prom.Histogram {
  return new prom.Histogram({ name, help, labelNames, buckets, registers: [registry] });
}

function combinations(labels: LabelValues): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(labels)) {
    // A label without known values can't be initialised: no combination then.
    all = all.flatMap((c) => values.map((v) => ({ ...c, [name]: v })));
  }
  return Object.keys(labels).length === 0 ? [] : all;
}

/** Parts of the server whose unhandled errors are counted. */
export const panicPackages = [
  "acme",
  "admin",
  "account",
  "control",
  "dav",
  "delivery",
  "dmarc",
  "dmarcdb",
  "dns",
  "imapserver",
  "import",
  "jmap",
  "junk",
  "lists",
  "managesieve",
  "pop3server",
  "mtasts",
  "queue",
  "serve",
  "smtpserver",
  "smtpclient",
  "spf",
  "dkim",
  "store",
  "tlsrpt",
  "webapi",
  "webhook",
  "webmail",
  "webserver",
  "worker",
] as const;
export type PanicPackage = (typeof panicPackages)[number];

const panics = counter(
  "mox_panic_total",
  "Unhandled errors by package. Each ended one connection or job, never the process.",
  { pkg: panicPackages },
);

/** Counts an unhandled error. Call it where a connection or job is ended because of one. */
export function countPanic(pkg: PanicPackage): void {
  panics.inc({ pkg });
}
