/** What people have reported of other junk filters: the same must not happen here. */
import assert from "node:assert/strict";
import { automaticJunkFlag } from "../../src/config/mod.ts";
import type { Account } from "../../src/config/mod.ts";
import {
  defaultAutomaticJunkFlags,
  defaultJunkParams,
  JunkFilter,
  messageWords,
} from "../../src/junk/mod.ts";
import { Flag, SpecialUse } from "../../src/store/types.ts";
import { withStore } from "../store/setup.ts";

async function withFilter(fn: (f: JunkFilter) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const f = await JunkFilter.open(dir);
  try {
    await fn(f);
  } finally {
    await f.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const words = (from: string, subject: string, text: string) =>
  messageWords({
    headers: [["From", from], ["To", "me@ours.example"], ["Subject", subject]],
    texts: [{ html: false, text }],
  }, defaultJunkParams);

const topics = ["budget", "garden", "holiday", "school", "server", "music", "kitchen", "train"];

/** Letters of friends and colleagues, no two the same. */
const letter = (i: number) =>
  words(
    `friend${i % 9}@people${i % 4}.example`,
    `${topics[i % 8]} ${topics[(i * 3 + 1) % 8]}`,
    `Hello, about the ${topics[(i * 5) % 8]} and the ${
      topics[(i * 7 + 2) % 8]
    }: can we meet on day ${i % 28}? I will bring notes${i} for the ${
      topics[(i + 3) % 8]
    }. Regards, friend${i % 9}`,
  );

const offer = (from: string) =>
  words(
    from,
    "Your parcel waits",
    "Dear customer, your parcel could not be delivered. Pay the customs fee of 1.99 within 24 hours " +
      "and confirm your delivery address at our tracking portal, or the parcel is returned.",
  );

Deno.test("the same text from new senders is junk after a few were marked (mox #308, mailinabox #357, emailwiz #177, mailcow #3089)", () =>
  withFilter((f) => {
    for (let i = 0; i < 60; i++) f.train(true, letter(i));
    const numbers: number[] = [];
    for (let n = 1; n <= 5; n++) {
      f.train(false, offer(`info@sender${n}.example`));
      numbers.push(f.classify(offer(`post@other${n}.example`)).probability);
    }
    assert.ok(numbers[2] > 0.9, `after three: ${numbers.map((x) => x.toFixed(2))}`);
    for (let i = 100; i < 160; i++) assert.ok(f.classify(letter(i)).probability < 0.5);
  }));

Deno.test("200 messages of each kind are not needed before it says anything (rspamd #4524, Mailu #1438)", () =>
  withFilter((f) => {
    for (let i = 0; i < 50; i++) f.train(true, letter(i));
    for (let n = 0; n < 4; n++) f.train(false, offer(`info@sender${n}.example`));
    const judged = f.classify(offer("post@other.example"));
    assert.equal(judged.significant, true);
    assert.ok(judged.probability > 0.9);
  }));

Deno.test("what was learned as good is learned as junk when it is marked so (rspamd #947)", () =>
  withFilter((f) => {
    for (let i = 0; i < 60; i++) f.train(true, letter(i));
    for (let n = 0; n < 3; n++) f.train(false, offer(`info@sender${n}.example`));
    const wrong = offer("late@sender9.example");
    f.train(true, wrong);
    const before = f.classify(wrong).probability;
    f.untrain(true, wrong);
    f.train(false, wrong);
    assert.ok(f.classify(wrong).probability > Math.max(before, 0.9));
  }));

Deno.test("messages of three words, and of none, are learned and judged (rspamd #4484, #2995)", () =>
  withFilter((f) => {
    const short = words("x@pictures.example", "", "see the picture");
    const empty = messageWords({ headers: [], texts: [] }, defaultJunkParams);
    for (let i = 0; i < 60; i++) f.train(true, letter(i));
    for (let n = 0; n < 10; n++) {
      f.train(false, short);
      f.train(false, empty);
    }
    assert.ok(f.classify(short).probability > 0.9);
    // Of an empty one its missing fields are known.
    assert.ok(f.classify(empty).probability > 0.9);
    assert.ok(f.classify(letter(200)).probability < 0.5);
  }));

Deno.test("a notification of a network that nobody has written to is not junk for want of history (mox #64)", () =>
  withFilter((f) => {
    const notice = words(
      "Network <notification@network.example>",
      "You have 3 new messages",
      "Hi, Ann and two others have sent you messages. Open the network to read them. You get this mail as notifications are on.",
    );
    assert.equal(f.classify(notice).significant, false);
    for (let i = 0; i < 60; i++) f.train(true, letter(i));
    for (let n = 0; n < 20; n++) f.train(false, offer(`info@sender${n}.example`));
    assert.ok(f.classify(notice).probability < 0.9);
  }));

/** Quickstart's. */
const rules = {
  junkFlags(box: { name: string; specialUse: number }) {
    const account = { AutomaticJunkFlags: defaultAutomaticJunkFlags } as unknown as Account;
    const isJunk = (box.specialUse & SpecialUse.Junk) !== 0;
    const mark = automaticJunkFlag(account, box.name, isJunk);
    return mark === undefined
      ? undefined
      : { junk: Flag.Junk, notJunk: Flag.NotJunk, neutral: 0 }[mark];
  },
};

Deno.test("junk that is thrown away is still junk, moved or copied (Mailu #474, docker-mailserver #3333, mailcow #835)", () =>
  withStore(async (s) => {
    const box = (name: string) => s.account.mailboxByName(name)!.id;
    const told: number[][] = [];
    s.account.onTraining = (ids) => void told.push([...ids]);
    const add = async (name: string, flags = 0) =>
      await s.account.deliver(name, { ...await s.message("Subject: x\n\nx\n"), flags });
    const junk = await add("Junk");
    assert.equal(junk.flags, Flag.Junk);
    told.length = 0;
    await s.account.move(junk.mailboxId, [junk.uid], box("Trash"));
    assert.deepEqual([s.account.message(junk.id)!.flags, told], [Flag.Junk, []]);
    // Programs without MOVE copy, and remove the original.
    const other = await add("Junk");
    const { toUids } = await s.account.copy(other.mailboxId, [other.uid], box("Trash"));
    assert.equal(s.account.messageByUid(box("Trash"), toUids[0])!.flags, Flag.Junk);
    // Out of Trash again, and to where good mail is, it is good.
    await s.account.move(box("Trash"), toUids, box("Archive"));
    assert.equal(s.account.messageByUid(box("Archive"), 1)!.flags, Flag.NotJunk);
    // Others are as before: what was in the Inbox and is thrown away was no junk.
    const read = await add("Inbox", Flag.Seen);
    const both = await add("Junk", Flag.Seen);
    await s.account.move(read.mailboxId, [read.uid], box("Trash"));
    assert.equal(s.account.message(read.id)!.flags, Flag.Seen | Flag.NotJunk);
    await s.account.move(both.mailboxId, [both.uid], box("Inbox"));
    assert.equal(s.account.message(both.id)!.flags, Flag.Seen);
  }, rules));
