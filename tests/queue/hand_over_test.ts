/** Giving a message to a server: transactions, forms and results, with a session that is written down here. */
import assert from "node:assert/strict";
import {
  handOver,
  lost,
  messageBytes,
  resultOf,
  type Session,
  wasDead,
} from "../../src/queue/sending/hand_over.ts";
import type { QueueItem, QueueMessage } from "../../src/queue/types.ts";
import {
  type Envelope,
  type Extensions,
  type Progress,
  type RecipientOutcome,
  SmtpClientError,
} from "../../src/smtp/client/mod.ts";
import { noExtensions } from "../../src/smtp/client/extensions.ts";

const text = (pieces: Uint8Array[]) => pieces.map((p) => new TextDecoder().decode(p)).join("");
const ok: RecipientOutcome = { code: 250, enhanced: "2.1.5", lines: ["ok"] };

function refusal(
  code: number,
  more: Partial<ConstructorParameters<typeof SmtpClientError>[0]> = {},
): SmtpClientError {
  const f = { kind: "reply" as const, phase: "rcpt" as const, enhanced: "", text: "no" };
  return new SmtpClientError({ ...f, code, ...more });
}

function item(address: string, more: Partial<QueueItem> = {}): QueueItem {
  return {
    id: 1,
    messageId: 1,
    address,
    domain: "there.example",
    notify: undefined,
    originalRecipient: undefined,
    fromId: "",
    attempts: 0,
    nextAttempt: 0,
    hold: false,
    priority: 0,
    transport: undefined,
    requireTls: undefined,
    dsnOwed: 0,
    results: [],
    ...more,
  };
}

/** A session that answers each transaction by `answer`, and keeps what it was given. */
class Written implements Session {
  extensions: Extensions;
  usable = true;
  sent: { envelope: Envelope; bytes: string }[] = [];
  gaveUp: number[] = [];
  #tell: (step: Progress) => void = () => {};

  constructor(
    readonly answer: (to: string[], transaction: number) => RecipientOutcome[],
    extensions: Partial<Extensions> = {},
  ) {
    this.extensions = { ...noExtensions("there"), ...extensions };
  }

  set onProgress(fn: (step: Progress) => void) {
    this.#tell = fn;
  }

  async send(envelope: Envelope, message: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    const bytes: Uint8Array[] = [];
    for await (const piece of message()) bytes.push(piece);
    this.sent.push({ envelope, bytes: text(bytes) });
    this.#tell("alive");
    return this.answer(envelope.recipients.map((r) => r.address), this.sent.length);
  }

  giveUp(grace: number): void {
    this.gaveUp.push(grace);
  }

  tell(step: Progress): void {
    this.#tell(step);
  }
}

async function withMessage(
  body: string,
  more: Partial<QueueMessage>,
  fn: (m: QueueMessage) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    const bytes = new TextEncoder().encode(body);
    await Deno.writeFile(path, bytes);
    await fn({
      id: 1,
      senderAccount: "ann",
      mailFrom: "ann@here.example",
      path,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode("Received: here\r\n"),
      smtputf8: false,
      has8bit: false,
      binary: false,
      requireTls: false,
      tlsOptional: false,
      ret: undefined,
      envelopeId: undefined,
      messageId: "",
      subject: "",
      isDsn: false,
      queued: 0,
      deliverBy: undefined,
      holdRequest: undefined,
      extra: {},
      ...more,
    });
  } finally {
    await Deno.remove(path);
  }
}

/** A message that may take as long as it takes. */
const noLimit = { deliverBy: undefined };
const plain = "Subject: x\r\n\r\nhello\r\n";
const noSignal = () => new AbortController().signal;
const all = (to: string[]) => to.map(() => ok);

function hand(s: Session, message: QueueMessage, items: QueueItem[], more = {}) {
  return handOver(
    s,
    { message, requireTls: false, signal: noSignal(), progress: () => {}, now: () => 0, ...more },
    items,
  );
}

Deno.test("the bytes of a message are its prefix and its file, small or in pieces", async () => {
  await withMessage(plain, {}, async (m) => {
    assert.deepEqual((await Array.fromAsync(messageBytes(m))).map((p) => p.length), [16, 21]);
    assert.equal(
      (await Array.fromAsync(messageBytes({ ...m, prefix: new Uint8Array(0) }))).length,
      1,
    );
  });
  const large = "0123456789abcdef".repeat(10_000);
  await withMessage(large, {}, async (m) => {
    const pieces = await Array.fromAsync(messageBytes(m));
    assert.deepEqual(pieces.slice(1).map((p) => p.length), [65536, 65536, 160_000 - 2 * 65536]);
    // Each piece has a buffer of its own, as it may not be sent yet when the next is read.
    assert.equal(text(pieces.slice(1)), large);
  });
  await withMessage("x".repeat(65536), {}, async (m) => {
    assert.equal((await Array.fromAsync(messageBytes(m))).length, 2);
  });
  await withMessage("", {}, async (m) => {
    assert.equal((await Array.fromAsync(messageBytes(m))).length, 1);
  });
});

Deno.test("the envelope has what the message and its recipients ask for", () =>
  withMessage(plain, { ret: "hdrs", envelopeId: "e1", smtputf8: true }, async (m) => {
    const s = new Written(all, { smtpUtf8: true });
    const original = { type: "rfc822", address: "b@x" };
    const items = [item("a@there.example", { notify: ["success"], originalRecipient: original })];
    assert.deepEqual(await hand(s, m, items, { requireTls: true }), [ok]);
    assert.deepEqual(s.sent[0].envelope, {
      mailFrom: "ann@here.example",
      recipients: [{
        address: "a@there.example",
        notify: ["success"],
        originalRecipient: original,
      }],
      size: 37,
      body: "7bit",
      smtpUtf8: true,
      requireTls: true,
      ret: "hdrs",
      envelopeId: "e1",
      deliverBy: undefined,
    });
    assert.equal(s.sent[0].bytes, `Received: here\r\n${plain}`);
  }));

Deno.test("recipients beyond the server's limit go in further transactions, in their order", () =>
  withMessage(plain, {}, async (m) => {
    const s = new Written(all, { limits: { rcptMax: 2, mailMax: 9, rcptDomainMax: 1 } });
    const items = ["a", "b", "c", "d", "e"].map((n) => item(`${n}@there.example`));
    assert.equal((await hand(s, m, items)).filter((o) => o === ok).length, 5);
    assert.deepEqual(s.sent.map((t) => t.envelope.recipients.length), [2, 2, 1]);
  }));

Deno.test("who is too many goes again, in transactions of as many as were taken", async () => {
  for (const [code, enhanced] of [[452, "4.2.2"], [550, "4.5.3"]] as const) {
    await withMessage(plain, {}, async (m) => {
      const s = new Written((to) => to.map((_, i) => i < 2 ? ok : refusal(code, { enhanced })));
      const items = ["a", "b", "c", "d", "e"].map((n) => item(`${n}@there.example`));
      assert.deepEqual(await hand(s, m, items), [ok, ok, ok, ok, ok]);
      assert.deepEqual(
        s.sent.map((t) => t.envelope.recipients.map((r) => r.address[0]).join("")),
        ["abcde", "cd", "e"],
      );
    });
  }
});

Deno.test("too many of a server that took none is their outcome, and so is any other refusal", () =>
  withMessage(plain, {}, async (m) => {
    const tooMany = refusal(452);
    const s = new Written((to) => to.map(() => tooMany));
    assert.deepEqual(await hand(s, m, [item("a@there.example"), item("b@there.example")]), [
      tooMany,
      tooMany,
    ]);
    assert.equal(s.sent.length, 1);
    const others = [
      refusal(550),
      refusal(452, { phase: "mail" }),
      refusal(452, { kind: "timeout" }),
    ];
    for (const other of others) {
      const t: Written = new Written((to): RecipientOutcome[] =>
        to.map((_, i) => i === 0 ? ok : other)
      );
      assert.deepEqual(await hand(t, m, [item("a@there.example"), item("b@there.example")]), [
        ok,
        other,
      ]);
      assert.equal(t.sent.length, 1);
    }
  }));

Deno.test("a session that ends leaves the rest without an outcome", () =>
  withMessage(plain, {}, async (m) => {
    const s = new Written((to) => {
      s.usable = false;
      return to.map(() => ok);
    }, { limits: { rcptMax: 1, mailMax: 9, rcptDomainMax: 1 } });
    assert.deepEqual(await hand(s, m, [item("a@there.example"), item("b@there.example")]), [
      ok,
      undefined,
    ]);
  }));

Deno.test("addresses beyond ASCII don't spoil a server without SMTPUTF8 for the others", () =>
  withMessage(plain, {}, async (m) => {
    const items = [item("ä@there.example"), item("b@there.example"), item("ö@there.example")];
    const groups = async (s: Written, list: QueueItem[]) => {
      await hand(s, m, list);
      return s.sent.map((t) => t.envelope.recipients.map((r) => r.address[0]).join(""));
    };
    assert.deepEqual(await groups(new Written(all), items), ["b", "äö"]);
    assert.deepEqual(await groups(new Written(all, { smtpUtf8: true }), items), ["äbö"]);
    assert.deepEqual(await groups(new Written(all), [items[0], items[2]]), ["äö"]);
    assert.deepEqual(await groups(new Written(all), [items[1]]), ["b"]);
  }));

Deno.test("a message of 8 bits is encoded for a server of 7 bits, and signed again", async () => {
  const body = "Subject: x\r\n\r\ngr\u00fc\u00dfe\r\n";
  await withMessage(body, { has8bit: true }, async (m) => {
    const s = new Written(all);
    await hand(s, m, [item("a@there.example")]);
    assert.equal(s.sent[0].envelope.body, "7bit");
    assert.match(s.sent[0].bytes, /Content-Transfer-Encoding: /);
    // deno-lint-ignore no-control-regex
    assert.match(s.sent[0].bytes, /^[\x00-\x7f]*$/);
    assert.equal(s.sent[0].envelope.size, s.sent[0].bytes.length);
    const signed = new Written(all);
    await hand(signed, m, [item("a@there.example")], {
      signAgain: () => Promise.resolve(new TextEncoder().encode("signed")),
    });
    assert.deepEqual([signed.sent[0].bytes, signed.sent[0].envelope.size], ["signed", 6]);
    const takes = new Written(all, { eightBitMime: true });
    await hand(takes, m, [item("a@there.example")]);
    assert.equal(takes.sent[0].envelope.body, "8bit");
    assert.match(takes.sent[0].bytes, /gr\u00fc\u00dfe/);
  });
  // BINARYMIME is of use only with CHUNKING (RFC 3030 §3).
  for (
    const [x, wanted] of [[{ binaryMime: true }, "7bit"], [{ chunking: true }, "7bit"]] as const
  ) {
    await withMessage(body, { binary: true, has8bit: true }, async (m) => {
      const s = new Written(all, { eightBitMime: true, ...x });
      await hand(s, m, [item("a@there.example")]);
      assert.equal(s.sent[0].envelope.body, wanted);
    });
  }
  await withMessage(body, { binary: true }, async (m) => {
    const s = new Written(all, { binaryMime: true, chunking: true });
    await hand(s, m, [item("a@there.example")]);
    assert.equal(s.sent[0].envelope.body, "binary");
  });
});

Deno.test("when it is ended the server is given a moment; afterwards it is told nothing more", () =>
  withMessage(plain, {}, async (m) => {
    const abort = new AbortController();
    const steps: Progress[] = [];
    const s = new Written((to) => {
      abort.abort();
      return to.map(() => ok);
    });
    const progress = (step: Progress) => void steps.push(step);
    await hand(s, m, [item("a@there.example")], { signal: abort.signal, progress });
    assert.deepEqual(s.gaveUp, [5000]);
    assert.deepEqual(steps, ["alive"]);
    s.tell("alive");
    assert.deepEqual(steps, ["alive"]);
    const later = new AbortController();
    const t = new Written(all);
    await hand(t, m, [item("a@there.example")], { signal: later.signal });
    later.abort();
    assert.deepEqual(t.gaveUp, []);
  }));

Deno.test("a connection is lost by network, time or 421; a kept one was dead if MAIL found it so", () => {
  assert.deepEqual(
    [
      refusal(451, { kind: "network" }),
      refusal(451, { kind: "timeout" }),
      refusal(421),
      refusal(451),
      refusal(550, { kind: "tls" }),
    ].map(lost),
    [true, true, true, false, false],
  );
  const dead = refusal(421, { phase: "mail" });
  assert.equal(wasDead([dead, dead]), true);
  assert.equal(wasDead([dead, ok]), false);
  assert.equal(wasDead([dead, undefined]), false);
  assert.equal(wasDead([refusal(421)]), false);
  assert.equal(wasDead([refusal(451, { phase: "mail" })]), false);
});

Deno.test("an outcome as a result: who tells the sender that it was passed on", () => {
  const s = (dsn: boolean) => new Written(all, { dsn });
  const asks = item("a@there.example", { notify: ["success", "failure"] });
  const silent = item("a@there.example");
  const result = resultOf(ok, noLimit, silent, s(false), "mx.there.example");
  assert.deepEqual(result, {
    kind: "delivered",
    code: 250,
    enhanced: "2.1.5",
    text: "ok",
    remoteMta: "mx.there.example",
    relayed: "told",
    unwatched: undefined,
  });
  const relayed = (i: QueueItem, dsn: boolean) => {
    const r = resultOf(ok, noLimit, i, s(dsn), "mx");
    return r.kind === "delivered" ? r.relayed : undefined;
  };
  assert.deepEqual([relayed(asks, true), relayed(asks, false), relayed(silent, true)], [
    "told",
    "untold",
    "told",
  ]);
  const bare = resultOf({ code: 250, enhanced: "", lines: [] }, noLimit, silent, s(false), "mx");
  assert.deepEqual([bare.enhanced, bare.text], ["2.0.0", "accepted"]);
  const failed = resultOf(refusal(550, { enhanced: "5.1.1" }), noLimit, silent, s(false), "mx");
  assert.deepEqual(failed, {
    kind: "permanent",
    code: 550,
    enhanced: "5.1.1",
    text: "no",
    remoteMta: "mx",
  });
  assert.equal(resultOf(refusal(451), noLimit, silent, s(false), "mx").kind, "temporary");
});

Deno.test("a time limit goes to the server as what is left of it; who watches it is part of the result", async () => {
  const deliverBy = { until: 90_500, mode: "return" as const, trace: false };
  await withMessage(plain, { deliverBy }, async (m) => {
    const s = new Written(all, { deliverBy: 10 });
    await hand(s, m, [item("a@there.example")], { now: () => 30_000 });
    assert.deepEqual(s.sent[0].envelope.deliverBy, { seconds: 60, mode: "return", trace: false });
  });
  const unwatched = (trace: boolean, server: number | undefined) => {
    const s = new Written(all, { deliverBy: server });
    const r = resultOf(ok, { deliverBy: { ...deliverBy, trace } }, item("a@b.example"), s, "mx");
    return r.kind === "delivered" ? r.unwatched : undefined;
  };
  assert.deepEqual([unwatched(false, 10), unwatched(true, 10), unwatched(false, undefined)], [
    false,
    true,
    true,
  ]);
});
