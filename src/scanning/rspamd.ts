/** rspamd's HTTP interface: /checkv2 of a worker, /learnspam and /learnham of the controller. @module */
import type { IncomingMessage } from "node:http";
import {
  array,
  boolean,
  type InferOutput,
  number,
  object,
  optional,
  record,
  safeParse,
  string,
  unknown,
} from "valibot";
import { encodeWord } from "../mail/header/encode.ts";
import type { Outbound } from "../net/mod.ts";
import { joined } from "../platform/bytes.ts";
import { nextTurn } from "../platform/turns.ts";
import { checkedField } from "./fields.ts";
import {
  emptyResult,
  type HeaderChange,
  type ScanEnvelope,
  ScanError,
  scanLimits,
  type ScanMessage,
  type ScanResult,
} from "./types.ts";

/** Bytes of its answer. */
const maxAnswer = 2 * 1024 * 1024;
const chunkSize = 64 * 1024;

/** Addresses of an rspamd. */
export interface RspamdServer {
  /** Of the scanning worker (port 11333), or the proxy. */
  url: string;
  /** Of the controller (port 11334), for learning; "" for none. */
  controllerUrl: string;
  password: string;
}

const answerSchema = object({
  action: string(),
  score: number(),
  required_score: optional(number()),
  thresholds: optional(record(string(), unknown())),
  symbols: optional(record(string(), unknown())),
  messages: optional(unknown()),
  subject: optional(string()),
  milter: optional(object({
    add_headers: optional(record(string(), unknown())),
    remove_headers: optional(record(string(), unknown())),
    change_from: optional(string()),
    add_rcpt: optional(array(string())),
    del_rcpt: optional(array(string())),
    reject: optional(string()),
    no_action: optional(boolean()),
    spam_header: optional(string()),
  })),
});

/** Scans a message. @throws ScanError, OutboundError */
export async function askRspamd(
  outbound: Outbound,
  server: RspamdServer,
  envelope: ScanEnvelope,
  message: ScanMessage,
  signal: AbortSignal,
): Promise<ScanResult> {
  const { status, text } = await post(
    outbound,
    server,
    "checkv2",
    facts(envelope),
    message,
    signal,
  );
  if (status !== 200) throw new ScanError(`it answered ${status}: ${text.slice(0, 200)}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ScanError("its answer is no JSON", { cause });
  }
  return readAnswer(json);
}

/**
 * Makes it learn a message. A message learned before counts as success.
 * @throws ScanError, OutboundError
 */
export async function teachRspamd(
  outbound: Outbound,
  server: RspamdServer,
  as: "spam" | "ham",
  message: ScanMessage,
  signal: AbortSignal,
): Promise<void> {
  const to = { ...server, url: server.controllerUrl };
  const { status, text } = await post(outbound, to, `learn${as}`, {}, message, signal);
  // 208: learned before. 204: nothing to learn from this message.
  if (status === 200 || status === 208 || status === 204) return;
  throw new ScanError(`it answered ${status}: ${text.slice(0, 200)}`);
}

/** Values of HTTP fields: without non-ASCII bytes. */
const ascii = (text: string) => text.replace(/[^ -~]/g, "?").slice(0, 1000);

function facts(envelope: ScanEnvelope): Record<string, string | string[]> {
  return {
    ...(envelope.remoteIp === "" ? {} : { ip: envelope.remoteIp }),
    ...(envelope.remoteName === undefined ? {} : { hostname: ascii(envelope.remoteName) }),
    ...(envelope.username === undefined ? {} : { user: ascii(envelope.username) }),
    ...(envelope.tls === undefined
      ? {}
      : { "tls-cipher": ascii(envelope.tls.cipher), "tls-version": ascii(envelope.tls.version) }),
    helo: ascii(envelope.hello),
    from: ascii(envelope.mailFrom),
    rcpt: envelope.recipients.slice(0, 1000).map(ascii),
    "queue-id": ascii(envelope.id),
    "mta-name": ascii(envelope.hostname),
    "mta-tag": "mox",
  };
}

async function post(
  outbound: Outbound,
  server: RspamdServer,
  path: string,
  headers: Record<string, string | string[]>,
  message: ScanMessage,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const base = server.url.endsWith("/") ? server.url : `${server.url}/`;
  const request = await outbound.begin({
    url: new URL(path, base),
    method: "POST",
    headers: {
      ...headers,
      ...(server.password === "" ? {} : { password: server.password }),
      "content-type": "text/plain",
      "content-length": String(message.size),
    },
    // Chosen by the administrator.
    rule: undefined,
    signal,
  });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.on("response", resolve);
  request.on("error", reject);
  request.on("close", () => reject(new ScanError("it closed the connection before its answer")));
  // It may answer before it has everything, and then nobody waits for this.
  promise.catch(() => {});
  try {
    await send(request, message, promise);
    const answer = await promise;
    return { status: answer.statusCode ?? 0, text: await bodyOf(answer) };
  } catch (err) {
    signal.throwIfAborted();
    throw err;
  } finally {
    request.on("error", () => {});
    request.destroy();
  }
}

async function send(
  request: Awaited<ReturnType<Outbound["begin"]>>,
  message: ScanMessage,
  answered: Promise<unknown>,
): Promise<void> {
  let over = false;
  const ended = answered.then(() => void (over = true), () => void (over = true));
  for (let at = 0; at < message.size && !over; at += chunkSize) {
    const more = request.write(message.read(at, Math.min(message.size, at + chunkSize)));
    if (!more) {
      await Promise.race([new Promise<void>((go) => request.once("drain", () => go())), ended]);
    }
    await nextTurn();
  }
  if (!over) request.end();
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxAnswer) throw new ScanError(`its answer is larger than ${maxAnswer} bytes`);
    pieces.push(piece);
  }
  return new TextDecoder().decode(joined(pieces));
}

/** Interprets an answer of /checkv2. @throws ScanError if it isn't one */
export function readAnswer(json: unknown): ScanResult {
  const parsed = safeParse(answerSchema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new ScanError(
      `its answer can't be used: ${issue.path?.map((p) => p.key).join(".")}: ${issue.message}`,
    );
  }
  const a = parsed.output;
  const result = emptyResult();
  result.spamScore = spamScore(a.score, a.required_score ?? 15, a.thresholds?.["add header"]);
  const symbols = Object.keys(a.symbols ?? {});
  const said = isRecord(a.messages) && typeof a.messages.smtp_message === "string"
    ? a.messages.smtp_message.replace(/[^ -~]/g, " ").trim().slice(0, 200)
    : "";
  switch (effectOf(a)) {
    case "reject":
      result.action = "reject";
      result.reply = { code: 554, enhanced: "7.1", text: said || "message refused as spam" };
      break;
    case "soft reject":
      result.action = "tempfail";
      result.reply = { code: 451, enhanced: "7.1", text: said || "try again later" };
      break;
    case "discard":
      result.action = "discard";
      break;
    case "quarantine":
      result.quarantine = "rspamd";
      break;
    case "add header":
    case "rewrite subject":
      result.action = "junk";
      if (a.milter?.spam_header !== undefined && a.action === "add header") {
        result.headers.push({ kind: "add", ...checkedField(a.milter.spam_header, "Yes") });
      }
      if (a.action === "rewrite subject" && a.subject !== undefined) {
        const field = checkedField("Subject", encodeWord(a.subject.slice(0, 900)));
        result.headers.push({ kind: "change", occurrence: 1, ...field });
      }
  }
  // A virus scanner behind rspamd reports by a symbol.
  if (symbols.some((s) => /^(?:CLAM_VIRUS|AV_VIRUS|[A-Z0-9]+_VIRUS)$/.test(s))) {
    result.virus = symbols.find((s) => /_VIRUS$/.test(s))!;
  }
  result.headers.push(...headerChanges(a.milter));
  result.mailFrom = a.milter?.change_from === undefined ? undefined : address(a.milter.change_from);
  result.addRecipients = (a.milter?.add_rcpt ?? []).slice(0, scanLimits.recipients).map(address);
  result.removeRecipients = (a.milter?.del_rcpt ?? []).slice(0, scanLimits.recipients).map(address);
  result.text = `${a.action.slice(0, 40)}, score ${a.score.toFixed(2)} of ${
    (a.required_score ?? 15).toFixed(2)
  }${symbols.length > 0 ? ` (${symbols.slice(0, 30).join(" ").slice(0, 600)})` : ""}`;
  return result;
}

/** Its action, or the override by its modules. */
function effectOf({ action, milter }: InferOutput<typeof answerSchema>): string {
  if (milter?.no_action) return "no action";
  const other = milter?.reject;
  return action === "reject" && (other === "discard" || other === "quarantine") ? other : action;
}

/** Maps its points to 0...1: the threshold for a header is 0.5, that for a refusal 1. */
function spamScore(score: number, refuse: number, mark: unknown): number {
  const top = Number.isFinite(refuse) && refuse > 0 ? refuse : 15;
  const half = typeof mark === "number" && mark > 0 && mark < top ? mark : top * 0.4;
  if (!(score > 0)) return 0;
  return score <= half
    ? 0.5 * score / half
    : Math.min(1, 0.5 + 0.5 * (score - half) / (top - half));
}

function address(text: string): string {
  const bare = text.replace(/^<|>$/g, "");
  if (bare.length > 320 || /[^!-~\u00a0-\u{10ffff}]|[<>]/u.test(bare)) {
    throw new ScanError("it names an address that is none");
  }
  return bare;
}

type MilterPart = {
  add_headers?: Record<string, unknown>;
  remove_headers?: Record<string, unknown>;
} | undefined;

/** Removals first, so that added headers of the same name stay. */
function headerChanges(part: MilterPart): HeaderChange[] {
  const changes: HeaderChange[] = [];
  for (const [name, which] of Object.entries(part?.remove_headers ?? {})) {
    checkedField(name, "");
    const n = typeof which === "number" && which > 0 ? Math.trunc(which) : 0;
    changes.push(
      n === 0 ? { kind: "remove", name } : { kind: "change", occurrence: n, name, value: "" },
    );
  }
  let bytes = 0;
  for (const [name, values] of Object.entries(part?.add_headers ?? {})) {
    for (const value of [values].flat()) {
      const text = isRecord(value) ? value.value : value;
      if (typeof text !== "string" && typeof text !== "number") continue;
      const order = isRecord(value) && typeof value.order === "number" ? value.order : undefined;
      const field = checkedField(name, String(text));
      bytes += field.value.length;
      changes.push(
        order !== undefined && order >= 0
          ? { kind: "insert", index: Math.max(0, Math.trunc(order) - 1), ...field }
          : { kind: "add", ...field },
      );
    }
  }
  if (changes.length > scanLimits.headerChanges || bytes > scanLimits.headerBytes) {
    throw new ScanError("it changes more of the header than one may");
  }
  return changes;
}

function isRecord(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}
