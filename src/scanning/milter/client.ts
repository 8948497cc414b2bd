/**
 * Passing a message to a milter, from the connection to the end of the message, once it has arrived completely: a slow
 * sender doesn't block the milter, and a refusal becomes the answer to the message.
 *
 * @module
 */
import { isIP } from "node:net";
import type { Connection } from "../../net/mod.ts";
import { nextTurn } from "../../platform/turns.ts";
import { type RawField, rawValue, readHeader } from "../raw_header.ts";
import {
  emptyResult,
  type ScanEnvelope,
  ScanError,
  type ScanMessage,
  type ScanReply,
  type ScanResult,
} from "../types.ts";
import { type BodySink, isChange, noteChange } from "./changes.ts";
import { macros, type MacroStage } from "./macros.ts";
import { type Agreed, named, offer, readAgreement } from "./negotiation.ts";
import { chunkSize, cString, packet, PacketReader, Step, uint32 } from "./packets.ts";
import { replyOf } from "./reply.ts";

/** Consecutive progress packets of a milter. */
const maxProgress = 10_000;

/** The outcome of a step: undefined to continue. */
type Verdict = Pick<ScanResult, "action" | "reply"> | undefined;

/**
 * Runs a milter on a message.
 * @param newBody called if the milter replaces the body
 * @throws ScanError for protocol violations, ConnectionError
 */
export async function askMilter(
  conn: Connection,
  envelope: ScanEnvelope,
  message: ScanMessage,
  newBody: () => Promise<BodySink>,
): Promise<ScanResult> {
  const session = new MilterSession(conn, envelope, message, newBody);
  return await session.run();
}

class MilterSession {
  readonly #result = emptyResult();
  readonly #reader: PacketReader;
  #agreed!: Agreed;

  constructor(
    readonly conn: Connection,
    readonly e: ScanEnvelope,
    readonly m: ScanMessage,
    readonly newBody: () => Promise<BodySink>,
  ) {
    this.#reader = new PacketReader(conn);
  }

  async run(): Promise<ScanResult> {
    await this.#send(offer());
    this.#agreed = readAgreement(await this.#reader.next());
    const verdict = await this.#envelope() ?? await this.#content();
    if (verdict) Object.assign(this.#result, verdict);
    this.#result.text = verdictText(this.#result);
    await this.#send(packet("Q"));
    return this.#result;
  }

  async #send(...packets: Uint8Array[]): Promise<void> {
    for (const p of packets) this.conn.write(p);
    await this.conn.flush();
  }

  #wants(without: number): boolean {
    return (this.#agreed.steps & without) === 0;
  }

  /** One step, with its macros, unless the milter doesn't need it. */
  async #step(
    without: number,
    noReply: number,
    stage: MacroStage | undefined,
    p: () => Uint8Array,
  ): Promise<Verdict> {
    if (!this.#wants(without)) return undefined;
    const before = stage === undefined ? [] : [macros(stage, this.e, this.#agreed)];
    await this.#send(...before, p());
    return this.#wants(noReply) ? await this.#verdict() : undefined;
  }

  async #envelope(): Promise<Verdict> {
    const { e } = this;
    const verdict = await this.#step(
      Step.NoConnect,
      Step.NoReplyConnect,
      "connect",
      () => connectPacket(e),
    ) ??
      await this.#step(
        Step.NoHelo,
        Step.NoReplyHelo,
        "helo",
        () => packet("H", cString(e.hello)),
      ) ??
      await this.#step(
        Step.NoMail,
        Step.NoReplyMail,
        "mail",
        () => packet("M", cString(`<${e.mailFrom}>`)),
      );
    return verdict ?? await this.#recipients();
  }

  async #recipients(): Promise<Verdict> {
    if (!this.#wants(Step.NoRcpt)) return undefined;
    const { refusedRecipients } = this.#result;
    for (const [i, address] of this.e.recipients.entries()) {
      await this.#send(
        macros("rcpt", this.e, this.#agreed, address),
        packet("R", cString(`<${address}>`)),
      );
      if (!this.#wants(Step.NoReplyRcpt)) continue;
      const v = await this.#verdict();
      if (v === undefined) continue;
      if (v.action === "accept" || v.action === "discard") return v;
      refusedRecipients.set(
        i,
        v.reply ??
          (v.action === "reject"
            ? { code: 550, enhanced: "7.1", text: "recipient refused" }
            : { code: 451, enhanced: "7.1", text: "recipient refused for now, try again later" }),
      );
    }
    if (refusedRecipients.size < this.e.recipients.length) return undefined;
    const replies = [...refusedRecipients.values()];
    const reply = replies.find((r) => r.code < 500) ?? replies[0];
    return { action: reply.code < 500 ? "tempfail" : "reject", reply };
  }

  async #content(): Promise<Verdict> {
    const { version } = this.#agreed;
    if (version >= 4) {
      const v = await this.#step(Step.NoData, Step.NoReplyData, "data", () => packet("T"));
      if (v) return v;
    }
    return await this.#header() ??
      await this.#step(
        Step.NoEndOfHeaders,
        Step.NoReplyEndOfHeaders,
        "endOfHeader",
        () => packet("N"),
      ) ??
      await this.#body() ?? await this.#endOfMessage();
  }

  async #header(): Promise<Verdict> {
    if (!this.#wants(Step.NoHeaders)) return undefined;
    const answers = this.#wants(Step.NoReplyHeader);
    for (const f of readHeader(this.m)) {
      if (f.name === "") continue;
      this.conn.write(this.#headerPacket(f));
      if (!answers) continue;
      await this.conn.flush();
      const v = await this.#verdict();
      if (v) return v;
    }
    await this.conn.flush();
    return undefined;
  }

  #headerPacket(field: RawField): Uint8Array {
    const value = rawValue(field);
    // Without the space after the colon, unless the milter wants leading spaces.
    const keep = (this.#agreed.steps & Step.LeadingSpace) !== 0;
    const from = !keep && value[0] === 32 ? 1 : 0;
    return packet(
      "L",
      cString(field.name),
      value.subarray(from).filter((b) => b !== 0),
      new Uint8Array(1),
    );
  }

  async #body(): Promise<Verdict> {
    if (!this.#wants(Step.NoBody)) return undefined;
    const answers = this.#wants(Step.NoReplyBody);
    for (let at = this.m.headerSize; at < this.m.size; at += chunkSize) {
      await this.#send(packet("B", this.m.read(at, Math.min(this.m.size, at + chunkSize))));
      await nextTurn();
      if (!answers) continue;
      const v = await this.#verdict("body");
      if (v === skip) return undefined;
      if (v) return v;
    }
    return undefined;
  }

  /** The end of the message, where the milter sends changes. */
  async #endOfMessage(): Promise<Verdict> {
    await this.#send(macros("endOfMessage", this.e, this.#agreed), packet("E"));
    return await this.#verdict("end") ?? { action: "accept" };
  }

  /** Reads an answer; only at the end of the message it is preceded by changes. */
  async #verdict(at?: "body" | "end"): Promise<Verdict> {
    let progress = 0;
    for (;;) {
      const p = await this.#reader.next();
      if (at === "end" && isChange(p.kind)) {
        await noteChange(p, this.#agreed.actions, this.#result, this.newBody);
        continue;
      }
      switch (p.kind) {
        case "p":
          if (++progress > maxProgress) throw new ScanError("it is at work for ever");
          continue;
        case "c":
          return undefined;
        case "a":
          return { action: "accept" };
        case "d":
          return { action: "discard" };
        case "r":
          return { action: "reject" };
        case "t":
        case "f":
        case "4":
          return { action: "tempfail" };
        case "y": {
          const reply = replyOf(p.data);
          return { action: reply.code < 500 ? "tempfail" : "reject", reply };
        }
        case "s":
          if (at !== "body") throw new ScanError("it skips what is no body");
          return skip;
        default:
          throw new ScanError(`it answered with ${named(p.kind)}`);
      }
    }
  }
}

/** The milter needs no more of the body. */
const skip: Verdict = { action: "accept" };

function connectPacket(envelope: ScanEnvelope): Uint8Array {
  const name = cString(
    envelope.remoteName ?? (envelope.remoteIp === "" ? "localhost" : `[${envelope.remoteIp}]`),
  );
  const family = isIP(envelope.remoteIp);
  if (family === 0) return packet("C", name, new TextEncoder().encode("U"));
  const port = uint32(envelope.remotePort).subarray(2);
  const letter = new TextEncoder().encode(family === 6 ? "6" : "4");
  return packet("C", name, letter, port, cString(envelope.remoteIp));
}

const words: Record<ScanResult["action"], string> = {
  accept: "accepted",
  junk: "junk",
  reject: "refused",
  tempfail: "refused for now",
  discard: "discarded",
};

function verdictText(result: ScanResult): string {
  const reply: ScanReply | undefined = result.reply;
  const parts: string[] = [
    reply ? `${words[result.action]} (${reply.text})` : words[result.action],
  ];
  if (result.quarantine !== undefined) parts.push(`quarantine (${result.quarantine})`);
  if (result.headers.length > 0) parts.push(`${result.headers.length} header fields changed`);
  if (result.refusedRecipients.size > 0) {
    parts.push(`${result.refusedRecipients.size} recipients refused`);
  }
  return parts.join(", ");
}
