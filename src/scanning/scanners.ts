/**
 * The configured scanners: run one after the other, each on the message as changed by those before it.
 *
 * @module
 */
import type { Scanner } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { counter, histogram } from "../metrics/mod.ts";
import { ConnectionError, type Outbound, OutboundError } from "../net/mod.ts";
import { askClamAv, TooLargeForScanner } from "./clamav.ts";
import { connectScanner, openStream, parseEndpoint } from "./endpoint.ts";
import { askMilter } from "./milter/client.ts";
import { HeaderTooLarge } from "./raw_header.ts";
import { NewBody, rewrite, type RewrittenMessage } from "./rewriting.ts";
import { askRspamd, type RspamdServer, teachRspamd } from "./rspamd.ts";
import { Places } from "../platform/places.ts";
import {
  emptyResult,
  type ScanEnvelope,
  ScanError,
  type ScanMessage,
  type ScanReply,
  type ScanResult,
} from "./types.ts";

/** Messages scanned at a time by one scanner; others wait, within its time limit. */
const atOnce = 32;

const scans = counter(
  "mox_scanner_messages_total",
  "Messages that scanners were asked about, by what came of it; away: no answer, or none that makes sense.",
  {
    result: ["accept", "junk", "reject", "tempfail", "discard", "quarantine", "too large", "away"],
  },
);
const durations = histogram(
  "mox_scanner_duration_seconds",
  "Time that a scanner took for a message.",
  ["scanner"],
  [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
);

/** One scanner's result, for the analysis and for display. */
export interface ScanFact {
  scanner: string;
  text: string;
  spamScore?: number;
  virus?: string;
}

/** The combined result. */
export interface Scanned {
  action: ScanResult["action"];
  reply?: ScanReply;
  /** Scanner and reason. */
  quarantine?: string;
  facts: ScanFact[];
  /** The highest of all scanners. */
  spamScore?: number;
  /** As in ScanResult; a name takes precedence over "". */
  virus?: string;
  /** The changed message; `remove` deletes it. */
  changed?: RewrittenMessage;
  mailFrom?: string;
  addRecipients: string[];
  removeRecipients: string[];
  refusedRecipients: Map<number, ScanReply>;
  remove(): void;
}

export interface ScannersOptions {
  scanners: ReadonlyMap<string, Scanner>;
  /** Password of an rspamd, by the name of its scanner. */
  passwords: ReadonlyMap<string, string>;
  outbound: Outbound;
  tempDir: string;
  /** Bytes of a message that may come back. */
  maxMessageSize: number;
}

export class Scanners {
  readonly #o: ScannersOptions;
  readonly #log = new Log("scanning");
  readonly #places = new Map<string, Places>();
  readonly #states = new Map<string, { error: string | undefined; since: number }>();

  constructor(options: ScannersOptions) {
    this.#o = options;
    for (const name of options.scanners.keys()) this.#places.set(name, new Places(atOnce));
  }

  /** The last answer of each; `since` is 0 if it was not used yet. */
  states(): { name: string; error: string | undefined; since: number }[] {
    return [...this.#o.scanners.keys()].map((name) => ({
      name,
      ...this.#states.get(name) ?? { error: undefined, since: 0 },
    }));
  }

  #note(name: string, error: string | undefined): void {
    const before = this.#states.get(name);
    if (before && (before.error === undefined) === (error === undefined)) return;
    this.#states.set(name, { error, since: Date.now() });
  }

  /** Names of scanners that learn when users move messages. */
  get learning(): string[] {
    return [...this.#o.scanners].filter(([, s]) => s.Rspamd && s.Rspamd.ControllerURL !== "")
      .map(([name]) => name);
  }

  /** Runs the named scanners. Never fails because of a scanner. @throws file errors */
  async scan(
    names: readonly string[],
    envelope: ScanEnvelope,
    message: ScanMessage,
  ): Promise<Scanned> {
    const all: Scanned = {
      action: "accept",
      facts: [],
      addRecipients: [],
      removeRecipients: [],
      refusedRecipients: new Map(),
      remove() {
        this.changed?.remove();
      },
    };
    try {
      for (const name of names) {
        const scanner = this.#o.scanners.get(name);
        if (!scanner) continue;
        const left = all.mailFrom === undefined
          ? envelope
          : { ...envelope, mailFrom: all.mailFrom };
        const { result, body } = await this.#ask(name, scanner, left, all.changed ?? message);
        try {
          await this.#take(all, name, scanner, result, body, message);
        } finally {
          body?.remove();
        }
        if (["reject", "tempfail", "discard"].includes(all.action)) break;
      }
      return all;
    } catch (err) {
      all.remove();
      throw err;
    }
  }

  async #take(
    all: Scanned,
    name: string,
    scanner: Scanner,
    said: ScanResult,
    body: NewBody | undefined,
    message: ScanMessage,
  ): Promise<void> {
    const fact: ScanFact = { scanner: name, text: said.text };
    if (said.spamScore !== undefined) {
      fact.spamScore = said.spamScore;
      all.spamScore = Math.max(all.spamScore ?? 0, said.spamScore);
    }
    if (said.virus !== undefined) {
      fact.virus = said.virus;
      all.virus ||= said.virus;
    }
    all.facts.push(fact);
    const r = asConfigured(said, scanner);
    scans.inc({
      result: r.quarantine !== undefined && r.action === "accept" ? "quarantine" : r.action,
    });
    if (scanner.Verdict === "note") return;
    if (r.action !== "accept") all.action = r.action;
    all.reply = r.reply ?? all.reply;
    if (r.quarantine !== undefined) all.quarantine ??= `${name}: ${r.quarantine}`;
    all.mailFrom = r.mailFrom ?? all.mailFrom;
    all.addRecipients.push(...r.addRecipients);
    all.removeRecipients.push(...r.removeRecipients);
    for (const [i, reply] of r.refusedRecipients) all.refusedRecipients.set(i, reply);
    if (r.headers.length === 0 && body === undefined) return;
    const before = all.changed;
    all.changed = await rewrite(this.#o.tempDir, before ?? message, r.headers, body);
    before?.remove();
  }

  async #ask(
    name: string,
    scanner: Scanner,
    envelope: ScanEnvelope,
    message: ScanMessage,
  ): Promise<{ result: ScanResult; body?: NewBody }> {
    const max = scanner.MaxMessageSize;
    if (max > 0 && message.size > max) return { result: tooLarge(scanner) };
    const started = performance.now();
    const limit = AbortSignal.timeout(scanner.Timeout);
    let body: NewBody | undefined;
    const newBody = async () =>
      body ??= await NewBody.create(this.#o.tempDir, this.#o.maxMessageSize);
    try {
      const result = await this.#places.get(name)!.use(
        limit,
        () => this.#once(name, scanner, envelope, message, limit, newBody),
      );
      this.#note(name, undefined);
      return { result, body };
    } catch (err) {
      body?.remove();
      if (err instanceof TooLargeForScanner) return { result: tooLarge(scanner) };
      if (err instanceof HeaderTooLarge) {
        const reply = { code: 554, enhanced: "6.0", text: "header too large" };
        return { result: { ...emptyResult(), action: "reject", reply, text: err.message } };
      }
      if (!isAway(err, limit)) throw err;
      return { result: this.#away(name, scanner, limit.aborted ? "no answer in time" : err) };
    } finally {
      durations.observe({ scanner: name }, (performance.now() - started) / 1000);
    }
  }

  async #once(
    name: string,
    scanner: Scanner,
    envelope: ScanEnvelope,
    message: ScanMessage,
    limit: AbortSignal,
    newBody: () => Promise<NewBody>,
  ): Promise<ScanResult> {
    const { outbound } = this.#o;
    if (scanner.Rspamd) {
      return await askRspamd(outbound, this.#rspamd(name), envelope, message, limit);
    }
    const to = parseEndpoint((scanner.Milter ?? scanner.ClamAV!).Address);
    if (scanner.ClamAV) {
      using stream = await openStream(outbound, to, limit);
      return await askClamAv(stream.conn, message);
    }
    const conn = await connectScanner(outbound, to, scanner.Timeout, limit);
    const end = () => conn.destroy();
    limit.addEventListener("abort", end);
    try {
      return await askMilter(conn, envelope, message, newBody);
    } finally {
      limit.removeEventListener("abort", end);
      conn.destroy();
    }
  }

  #rspamd(name: string): RspamdServer {
    const s = this.#o.scanners.get(name)!.Rspamd!;
    return {
      url: s.URL,
      controllerUrl: s.ControllerURL,
      password: this.#o.passwords.get(name) ?? "",
    };
  }

  #away(name: string, scanner: Scanner, err: unknown): ScanResult {
    scans.inc({ result: "away" });
    const why = err instanceof Error ? err.message : String(err);
    this.#note(name, why);
    this.#log.error("scanner does not answer", { scanner: name, why });
    const result = { ...emptyResult(), text: "not scanned, the scanner does not answer" };
    if (scanner.WhenAway === "accept") return result;
    const text = "message can't be scanned now, try again later";
    return { ...result, action: "tempfail", reply: { code: 451, enhanced: "3.0", text } };
  }

  /** Makes a scanner learn a message. @throws ScanError, OutboundError, and a timeout's DOMException */
  async teach(name: string, as: "spam" | "ham", message: ScanMessage): Promise<void> {
    const scanner = this.#o.scanners.get(name);
    if (!scanner?.Rspamd || scanner.Rspamd.ControllerURL === "") return;
    const max = scanner.MaxMessageSize;
    if (max > 0 && message.size > max) return;
    const limit = AbortSignal.timeout(scanner.Timeout);
    await teachRspamd(this.#o.outbound, this.#rspamd(name), as, message, limit);
  }
}

/** A verdict mapped by the administrator's settings. */
function asConfigured(result: ScanResult, scanner: Scanner): ScanResult {
  const virus = result.virus !== undefined && result.virus !== "";
  const bad = virus && result.action === "accept"
    ? {
      ...result,
      action: "reject" as const,
      reply: { code: 554, enhanced: "7.1", text: `message has a virus: ${result.virus}` },
    }
    : result;
  return bad.action === "reject" && scanner.Verdict === "junk"
    ? { ...bad, action: "accept", reply: undefined, quarantine: bad.reply?.text ?? bad.text }
    : bad;
}

function tooLarge(scanner: Scanner): ScanResult {
  scans.inc({ result: "too large" });
  const result = { ...emptyResult(), text: "not scanned, the message is too large" };
  if (!scanner.RefuseLarger) return result;
  const reply = { code: 552, enhanced: "3.4", text: "message too large to be scanned" };
  return { ...result, action: "reject", reply };
}

/** Whether a failure is the scanner's; file errors are ours. */
function isAway(err: unknown, limit: AbortSignal): boolean {
  return limit.aborted || err instanceof ScanError || err instanceof ConnectionError ||
    err instanceof OutboundError || isNetworkError(err);
}

function isNetworkError(err: unknown): boolean {
  const { errors } = Deno;
  const kinds = [
    errors.ConnectionRefused,
    errors.ConnectionReset,
    errors.ConnectionAborted,
    errors.NotConnected,
    errors.BrokenPipe,
    errors.UnexpectedEof,
    errors.TimedOut,
    // A socket that the runtime has no permission to read.
    errors.NotCapable,
    errors.NetworkUnreachable,
  ];
  if (kinds.some((k) => err instanceof k)) return true;
  const { code } = err as { code?: string };
  return typeof code === "string" && /^(?:E(?:PIPE|CONN|HOST|NET)|HPE_|ERR_HTTP)/.test(code) ||
    err instanceof Error && /socket hang up/.test(err.message);
}
