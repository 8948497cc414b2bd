/**
 * Structured logging in logfmt, with a level per package that can be changed while the server runs.
 *
 * A line looks like `l=info m="new connection" pkg=smtpserver cid=17a3 remote=127.0.0.1`. Every connection has
 * a connection id (cid); it is in each of its lines and in the Received headers it writes, so that a user's
 * question can be followed through the log. The trace levels show protocol transcripts: `trace` hides passwords
 * and message data, `traceauth` and `tracedata` show them.
 *
 * Imports only the platform layer; everything may import it.
 *
 * @module
 */
import { writeStderr } from "../platform/stdio.ts";
import { exportLine, telemetryOn } from "../platform/telemetry.ts";

/** Log levels from quiet to loud. */
export const levels = [
  "error",
  "warn",
  "info",
  "debug",
  "trace",
  "traceauth",
  "tracedata",
] as const;
export type Level = (typeof levels)[number];

/** Values that can occur in a log line. */
export type LogValue = string | number | bigint | boolean | null | undefined | Error | Date;
export type LogFields = Record<string, LogValue>;

/** Which level is in force for which package; "" is the default. */
const packageLevels = new Map<string, number>([["", levels.indexOf("info")]]);

let sink: (line: string) => void = writeStderr;

/** Sends log lines elsewhere (tests, log files). Returns the previous sink. */
export function setLogSink(next: (line: string) => void): (line: string) => void {
  const previous = sink;
  sink = next;
  return previous;
}

/** True if the text names a log level. */
export function isLevel(s: string): s is Level {
  return (levels as readonly string[]).includes(s);
}

/** Sets the level of one package, or with "" the default for all packages without their own. */
export function setLevel(pkg: string, level: Level): void {
  packageLevels.set(pkg, levels.indexOf(level));
}

/** Lets a package follow the default level again. The default itself can't be removed. */
export function clearLevel(pkg: string): void {
  if (pkg !== "") packageLevels.delete(pkg);
}

/** The levels in force: "" is the default. */
export function currentLevels(): Record<string, Level> {
  const r: Record<string, Level> = {};
  for (const [pkg, n] of packageLevels) r[pkg] = levels[n];
  return r;
}

let lastCid = Date.now() * 16;

/** A new connection id: unique within the process and rising over restarts. */
export function newCid(): number {
  return ++lastCid;
}

/** Text of a cid as written in log lines and Received headers. */
export function cidString(cid: number): string {
  return cid.toString(16);
}

function quote(s: string): string {
  if (s === "") return `""`;
  // deno-lint-ignore no-control-regex
  if (/^[^\s"=\\\u0000-\u001f\u007f]+$/.test(s)) return s;
  return JSON.stringify(s);
}

/** The messages of an error and its causes. */
function errorText(err: Error): string {
  let text = err.message || err.name;
  let cause = err.cause;
  for (let depth = 0; cause instanceof Error && depth < 5; depth++) {
    text += `: ${cause.message}`;
    cause = cause.cause;
  }
  return text;
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? "invalid" : date.toISOString();
}

function format(value: LogValue): string {
  if (value instanceof Error) return quote(errorText(value));
  if (value instanceof Date) return dateText(value);
  if (typeof value === "string") return quote(value);
  return String(value);
}

/** Packages that have made a logger. */
const packages = new Set<string>();

/** Names of packages that have made a logger so far. */
export function knownPackages(): string[] {
  return [...packages].sort();
}

/** How lines are written: logfmt, or each a JSON object. */
export const logFormats = ["logfmt", "json"] as const;
export type LogFormat = (typeof logFormats)[number];
let logFormat: LogFormat = "logfmt";

/** Sets how all lines from now on are written. */
export function setLogFormat(format: LogFormat): void {
  logFormat = format;
}

/** A logger for a package, with fields that are in each of its lines. Cheap to derive. */
export class Log {
  readonly pkg: string;
  readonly #fields: LogFields;
  /** The fields as text. */
  readonly #suffix: string;

  constructor(pkg: string, fields: LogFields = {}) {
    this.pkg = pkg;
    packages.add(pkg);
    this.#fields = fields;
    this.#suffix = render(fields);
  }

  /** A logger with extra fields in each line. */
  with(fields: LogFields): Log {
    return new Log(this.pkg, { ...this.#fields, ...fields });
  }

  /** A logger whose lines carry the connection id. */
  withCid(cid: number): Log {
    return this.with({ cid: cidString(cid) });
  }

  /** The same fields under another package name, for code called on behalf of a connection. */
  forPackage(pkg: string): Log {
    return new Log(pkg, this.#fields);
  }

  /** True if lines of this level would be written; check it before costly formatting. */
  enabled(level: Level): boolean {
    const limit = packageLevels.get(this.pkg) ?? packageLevels.get("")!;
    return levels.indexOf(level) <= limit;
  }

  error(msg: string, fields?: LogFields): void {
    this.#write("error", msg, fields);
  }
  warn(msg: string, fields?: LogFields): void {
    this.#write("warn", msg, fields);
  }
  info(msg: string, fields?: LogFields): void {
    this.#write("info", msg, fields);
  }
  debug(msg: string, fields?: LogFields): void {
    this.#write("debug", msg, fields);
  }
  trace(level: "trace" | "traceauth" | "tracedata", msg: string, fields?: LogFields): void {
    this.#write(level, msg, fields);
  }

  #write(level: Level, msg: string, fields?: LogFields): void {
    if (!this.enabled(level)) return;
    const line = logFormat === "json"
      ? jsonLine(level, msg, this.pkg, this.#fields, fields)
      : `${new Date().toISOString()} l=${level} m=${quote(msg)} pkg=${this.pkg}${this.#suffix}${
        fields ? render(fields) : ""
      }\n`;
    sink(line);
    // Protocol transcripts contain secrets: they stay here.
    if (telemetryOn && exported(level)) exportLine(level, line.trimEnd());
  }
}

function exported(level: Level): level is "error" | "warn" | "info" | "debug" {
  return levels.indexOf(level) <= levels.indexOf("debug");
}

/** A line as JSON: `time`, `level`, `msg`, `pkg` and the fields, whose values are numbers, booleans or texts. */
function jsonLine(
  level: Level,
  msg: string,
  pkg: string,
  own: LogFields,
  more: LogFields = {},
): string {
  const line: Record<string, unknown> = {};
  for (const [k, v] of [...Object.entries(own), ...Object.entries(more)]) {
    if (v === undefined) continue;
    line[k] = typeof v === "bigint"
      ? String(v)
      : v instanceof Error
      ? errorText(v)
      : v instanceof Date
      ? dateText(v)
      : v;
  }
  return `${JSON.stringify({ time: new Date().toISOString(), level, msg, pkg, ...line })}\n`;
}

function render(fields: LogFields): string {
  let s = "";
  for (const k in fields) {
    const v = fields[k];
    if (v !== undefined) s += ` ${k}=${format(v)}`;
  }
  return s;
}
