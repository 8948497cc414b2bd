/** Messages to members that come back, by SMTP answers and by reports; probes. */
import assert from "node:assert/strict";
import { addMembers, type ListWorld, listWorld } from "./world.ts";

const news = "news@ours.example";
const day = 86_400_000;
const member = (w: ListWorld, address: string) => w.r.server.lists!.db.members.get(news, address)!;

function report(to: string, action: string, status: string): string {
  return `From: <mailer-daemon@sender.example>
To: <${to}>
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It did not work.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.sender.example

Final-Recipient: rfc822; bob@away.example
Action: ${action}
Status: ${status}
Diagnostic-Code: smtp; 550 ${status} no such user
--b--
`;
}

/** One message to the list, and what went to a member. */
async function post(w: ListWorld, to: string) {
  await w.send(news);
  return (await w.out()).filter((m) => m.to[0] === to);
}

Deno.test("five days of reports, then a probe; if it comes back too the member gets nothing more", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["joe@sender.example", "bob@away.example"]);
  const [first] = await post(w, "bob@away.example");
  const send = (action: string, status: string, to = first.from) =>
    w.r.send({ from: "", to, text: report(to, action, status) });
  // What has not failed for good doesn't count.
  for (const action of ["delayed", "delivered", "relayed"]) {
    assert.equal((await send(action, "4.0.0")).code, 250);
  }
  assert.equal(member(w, "bob@away.example").bounces, 0);
  for (let i = 1; i <= 5; i++) {
    // Several a day are one.
    for (let n = 0; n < 3; n++) assert.equal((await send("failed", "5.1.1")).code, 250);
    assert.equal(member(w, "bob@away.example").bounces, i);
    if (i < 5) w.now.value += day;
  }
  const [probe, ...more] = await w.out();
  assert.deepEqual(more, []);
  assert.match(probe.from, /^news-bounces\+p/);
  assert.match(probe.data, /no such user/);
  // It is still sent to, until the probe is back.
  assert.equal((await post(w, "bob@away.example")).length, 1);
  assert.equal((await send("failed", "5.1.1", probe.from)).code, 250);
  const [told] = await w.out();
  assert.equal(told.to[0], "ann@ours.example");
  assert.equal(member(w, "bob@away.example").dead, true);
  assert.equal((await post(w, "bob@away.example")).length, 0);
  assert.equal((await post(w, "joe@sender.example")).length, 1);
});

Deno.test("the answers of servers count the same, and a probe that arrives forgives", async () => {
  let refuse = true;
  await using w = await listWorld({
    host: {
      rcpt: (line) => refuse && line.includes("bob@") ? "550 5.1.1 no such user" : undefined,
    },
  });
  addMembers(w, news, ["bob@away.example", "joe@sender.example"]);
  for (let i = 0; i < 5; i++) {
    await post(w, "bob@away.example");
    assert.equal(member(w, "bob@away.example").bounces, i + 1);
    w.now.value += day;
    // What its server says now, and the queue doesn't keep it from being asked again.
    if (i === 3) refuse = true;
  }
  // The probe was refused too.
  assert.equal(member(w, "bob@away.example").dead, true);
  w.r.server.lists!.db.members.revive(news, member(w, "bob@away.example").id);
  refuse = false;
  assert.equal((await post(w, "bob@away.example")).length, 1);
  assert.deepEqual([member(w, "bob@away.example").bounces, member(w, "bob@away.example").dead], [
    0,
    false,
  ]);
});

/** Mail to a bounce address that says nothing about the member. */
const harmless: [string, { from: string; text: string }][] = [
  ["a person's answer", {
    from: "bob@sender.example",
    text: "From: <bob@sender.example>\nSubject: Re: x\n\nthanks\n",
  }],
  ["an absence without sender", {
    from: "",
    text: "From: <bob@sender.example>\nAuto-Submitted: auto-replied\nSubject: away\n\n\n",
  }],
];
Deno.test("other mail to a bounce address counts for nothing; forged ones are refused", async () => {
  await using w = await listWorld();
  addMembers(w, news, ["bob@away.example", "joe@sender.example"]);
  const [first] = await post(w, "bob@away.example");
  for (const [what, m] of harmless) {
    assert.equal((await w.r.send({ ...m, to: first.from })).code, 250, what);
    assert.equal(member(w, "bob@away.example").bounces, 0, what);
  }
  // Old servers write what they like.
  const old =
    "From: <mailer-daemon@sender.example>\nSubject: failure notice\n\nHi. This is the program.\n";
  assert.equal((await w.r.send({ from: "", to: first.from, text: old })).code, 250);
  assert.equal(member(w, "bob@away.example").bounces, 1);
  for (
    const to of [
      first.from.replace(/.@/, "a@").replace(/b(?=\d)/, "b9"),
      first.from.replace("+b", "+p"),
    ]
  ) {
    assert.equal((await w.r.send({ from: "", to, text: report(to, "failed", "5.1.1") })).code, 550);
  }
});
