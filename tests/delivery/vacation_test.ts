/** Who gets a vacation reply (RFC 3834 §2), and what it says (§3). */
import assert from "node:assert/strict";
import {
  composeReply,
  isAway,
  noReplyReason,
  type Occasion,
  readVacation,
  type Vacation,
} from "../../src/delivery/vacation.ts";
import { StructureParser } from "../../src/mail/structure/structure.ts";
import { describe } from "../../src/store/messages/describe.ts";

async function occasion(header: string, over: Partial<Occasion> = {}): Promise<Occasion> {
  const bytes = new TextEncoder().encode(`${header.trim().replaceAll("\n", "\r\n")}\r\n\r\nx\r\n`);
  const parser = new StructureParser();
  parser.write(bytes);
  const { fields, summary } = await describe(parser.end(), (a, b) => bytes.subarray(a, b));
  return {
    mailFrom: { localpart: "joe", domain: "sender.example" },
    verified: true,
    isOwn: (a) => a === "ann@ours.example",
    fields,
    summary,
    ...over,
  };
}

const personal = "From: joe@sender.example\nTo: Ann <ann@ours.example>\nSubject: hi";

Deno.test("a person who writes gets a reply", async () => {
  assert.equal(noReplyReason(await occasion(personal)), undefined);
  assert.equal(noReplyReason(await occasion(`${personal}\nAuto-Submitted: no`)), undefined);
  const copied = "From: joe@sender.example\nTo: else@x.example\nCc: ann@ours.example";
  assert.equal(noReplyReason(await occasion(copied)), undefined);
  const resent = "From: joe@sender.example\nTo: else@x.example\nResent-To: Ann <ann@ours.example>";
  assert.equal(noReplyReason(await occasion(resent)), undefined);
});

for (
  const [what, header, over, reason] of [
    ["a report", personal, { mailFrom: undefined }, "null reverse path"],
    [
      "the account itself",
      personal,
      { mailFrom: { localpart: "ann", domain: "ours.example" } },
      "from the account itself",
    ],
    ["a forger", personal, { verified: false }, "sender is not verified"],
    ["a program", `${personal}\nAuto-Submitted: auto-generated`, {}, "automatic message"],
    ["another reply", `${personal}\nAuto-Submitted: auto-replied (away)`, {}, "automatic message"],
    ["a mailing list", `${personal}\nList-Id: <talk.example>`, {}, "mailing list"],
    ["a newsletter", `${personal}\nList-Unsubscribe: <https://x.example>`, {}, "mailing list"],
    ["bulk mail", `${personal}\nPrecedence: bulk`, {}, "bulk mail"],
    [
      "who asks for none",
      `${personal}\nX-Auto-Response-Suppress: DR, OOF`,
      {},
      "sender asks for no automatic answers",
    ],
    [
      "who got it blind",
      "From: joe@sender.example\nTo: x@y.example",
      {},
      "account is not in To or Cc",
    ],
  ] as [string, string, Partial<Occasion>, string][]
) {
  Deno.test(`no reply to ${what}`, async () => {
    assert.equal(noReplyReason(await occasion(header, over)), reason);
  });
}

for (
  const localpart of [
    "owner-talk",
    "talk-request",
    "talk-bounces",
    "bounces+ann=ours.example",
    "MAILER-DAEMON",
    "noreply",
    "no-reply+7",
    "do_not_reply",
  ]
) {
  Deno.test(`no reply to ${localpart}`, async () => {
    const mailFrom = { localpart, domain: "sender.example" };
    assert.equal(noReplyReason(await occasion(personal, { mailFrom })), "sender is a program");
  });
}

const vacation: Vacation = {
  enabled: true,
  subject: "",
  text: "Grüße aus dem Süden.\nAnn",
  from: null,
  until: null,
  days: 7,
};

Deno.test("it is sent between its beginning and its end only", () => {
  assert.equal(isAway(vacation, 0), true);
  assert.equal(isAway({ ...vacation, enabled: false }, 0), false);
  const between = { ...vacation, from: 10, until: 20 };
  assert.deepEqual([9, 10, 19, 20].map((t) => isAway(between, t)), [false, true, true, false]);
});

Deno.test("a stored setting that is damaged means none", () => {
  const long = (n: number) => "x".repeat(n);
  for (
    const stored of [
      ...[undefined, null, 7, {}, { ...vacation, days: 0 }, { ...vacation, days: 366 }],
      ...[{ ...vacation, days: 1.5 }, { ...vacation, subject: long(501) }, {
        ...vacation,
        subject: 1,
      }],
      ...[{ ...vacation, text: long(20_001) }, { ...vacation, from: -1 }, {
        ...vacation,
        until: 0.5,
      }],
      ...[{ ...vacation, from: 8.65e15 }, { ...vacation, enabled: "yes" }],
    ]
  ) {
    assert.equal(readVacation(stored).enabled, false);
  }
  assert.deepEqual(readVacation({ ...vacation }), vacation);
  const most = {
    ...vacation,
    subject: long(500),
    text: long(20_000),
    days: 365,
    from: 0,
    until: 8.64e15,
  };
  assert.deepEqual(readVacation(most), most);
});

Deno.test("the reply names what it answers and says that it is automatic", async () => {
  const { summary } = await occasion(
    `${personal} Ümläut\nMessage-ID: <a@x>\nReferences: <0@x>`,
  );
  const text = new TextDecoder().decode(composeReply({
    vacation,
    from: { name: "Ann Exämple", localpart: "ann", domain: "ours.example" },
    to: { name: "", localpart: "joe", domain: "sender.example" },
    summary,
    messageId: "r@mail.example",
    now: new Date(0),
    smtputf8: false,
  }));
  assert.equal(
    text,
    [
      "From: =?utf-8?b?QW5uIEV4w6RtcGxl?= <ann@ours.example>",
      "To: joe@sender.example",
      "Subject: =?utf-8?b?QXV0bzogaGkgw5xtbMOkdXQ=?=",
      "Date: Thu, 1 Jan 1970 00:00:00 +0000",
      "Message-ID: <r@mail.example>",
      "In-Reply-To: <a@x>",
      "References: <0@x> <a@x>",
      "Auto-Submitted: auto-replied",
      "X-Auto-Response-Suppress: All",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: base64",
      "",
      "R3LDvMOfZSBhdXMgZGVtIFPDvGRlbi4NCkFubg==",
      "",
    ].join("\r\n"),
  );
});
