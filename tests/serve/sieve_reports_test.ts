/** What people have reported of scripts at delivery elsewhere: the same must not happen here. */
import assert from "node:assert/strict";
import { type FakeHost, fakeHost } from "../smtp/fake_host.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

async function withScript(
  text: string,
  fn: (r: Receiver, host: FakeHost) => Promise<void>,
  before?: string,
): Promise<void> {
  await using host = await fakeHost({ extensions: ["8BITMIME"] });
  await using r = await startReceiver({
    outgoingPort: host.port,
    zone: {
      "sender.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"], MX: ["10 mx.sender.example"] },
      "away.example": { A: ["127.0.0.1"] },
    },
  });
  if (before !== undefined) {
    await Deno.mkdir(`${r.dir}/config/sieve`, { recursive: true });
    await Deno.writeTextFile(`${r.dir}/config/sieve/before.sieve`, before);
  }
  await r.server.sieve!.scripts.put("cas", "main", text);
  await r.server.sieve!.scripts.setActive("cas", "main");
  await fn(r, host);
}

async function send(r: Receiver, to: string, over: Parameters<typeof mail>[0] = {}, from?: string) {
  assert.equal((await r.send({ from, to, text: mail({ to, ...over }) })).code, 250);
  await r.server.queue.idle();
}

Deno.test("folders below the Inbox are made, however they are written (stalwart #536)", () =>
  withScript(
    `require ["fileinto", "mailbox"];
if header "subject" "a" { fileinto "INBOX/Lists/a"; }
if header "subject" "b" { fileinto :create "Inbox/Lists/b"; }`,
    async (r) => {
      for (const subject of ["a", "b"]) await send(r, "cas@ours.example", { subject });
      assert.equal((await r.messages("cas", "Inbox/Lists/a")).length, 1);
      assert.equal((await r.messages("cas", "Inbox/Lists/b")).length, 1);
    },
  ));

Deno.test("flags that the administrator's script sets go along with what the user's files (purelymail #156)", () =>
  withScript(
    `require ["imap4flags", "fileinto"];\nif header "subject" "file" { fileinto "Junk"; }`,
    async (r) => {
      await send(r, "cas@ours.example", { subject: "file" });
      await send(r, "cas@ours.example", { subject: "keep" });
      const flagged = (box: string) =>
        r.account("cas", (a) => {
          const list: number[] = [];
          const { id } = a.mailboxByName(box)!;
          a.fetch(id, a.uids(id), 0, (row) => {
            list.push(row.flags & 4);
          });
          return list;
        });
      assert.deepEqual([await flagged("Junk"), await flagged("Inbox")], [[4], [4]]);
    },
    `require ["imap4flags"];\nsetflag "\\\\Flagged";\n`,
  ));

Deno.test("a script sees the address that mail was sent to, with its detail and of a list (docker-mailserver #1861)", () =>
  withScript(
    `require ["envelope", "fileinto", "subaddress", "variables"];
if envelope :is "to" "team@ours.example" { fileinto "Team"; }
elsif envelope :detail :matches "to" "*" { fileinto "To \${1}"; }`,
    async (r) => {
      await send(r, "cas+news@ours.example");
      await send(r, "team@ours.example");
      assert.equal((await r.messages("cas", "To news")).length, 1);
      assert.equal((await r.messages("cas", "Team")).length, 1);
    },
  ));

Deno.test("who is answered while a user is away, and as whom (Mailu #123, #2823, #2640, roundcubemail #5532, #5428, sentora #258)", () =>
  withScript(
    `require ["vacation"]; vacation :subject "Away" "I am away.";`,
    async (r, host) => {
      const answered = async (to: string, from: string, over: Parameters<typeof mail>[0] = {}) => {
        host.mails.length = 0;
        await send(r, to, over, from);
        return host.mails.map((m) => `${/^From: (.*)\r$/m.exec(m.data)?.[1]} to ${m.to}`);
      };
      assert.deepEqual(await answered("cas@ours.example", "a@sender.example"), [
        "cas@ours.example to a@sender.example",
      ]);
      // Another form of the address is the user's as well.
      assert.deepEqual(await answered("cas+news@ours.example", "b@sender.example"), [
        "cas+news@ours.example to b@sender.example",
      ]);
      assert.deepEqual(await answered("cas@ours.example", "noreply@sender.example"), []);
      assert.deepEqual(await answered("cas@ours.example", "no-reply@sender.example"), []);
      const forwarded = await answered(
        "cas@ours.example",
        "SRS0=x=y=other.example=c@sender.example",
      );
      assert.deepEqual(forwarded, ["cas@ours.example to SRS0=x=y=other.example=c@sender.example"]);
    },
  ));
