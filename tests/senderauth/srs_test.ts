/** Rewriting of senders. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { Srs } from "../../src/senderauth/mod.ts";

const day = 24 * 3600_000;
const secret = new Uint8Array(32).fill(7);
const at = (days: number) => new Srs(secret, () => 20_000 * day + days * day);
const joe = { localpart: "joe", domain: "sender.example" };

Deno.test("a sender is rewritten, and found again", () => {
  const made = at(0).rewrite(joe)!;
  assert.match(made, /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=sender\.example=joe$/);
  assert.deepEqual(at(0).original(made), joe);
  // Servers on the way may change the case.
  assert.deepEqual(at(0).original(made.toLowerCase()), joe);
});

Deno.test("it leads nowhere after three weeks, also when days have wrapped around", () => {
  for (const start of [0, 1024 - 20_000 % 1024 - 3]) {
    const made = at(start).rewrite(joe)!;
    assert.deepEqual(at(start + 21).original(made), joe);
    assert.equal(at(start + 22).original(made), undefined);
    assert.deepEqual(at(start - 1).original(made), joe);
    assert.equal(at(start - 2).original(made), undefined);
  }
});

Deno.test("what was not made here is refused: another key, sender, day or kind", () => {
  const made = at(0).rewrite(joe)!;
  const other = new Srs(new Uint8Array(32).fill(8), () => 20_000 * day);
  assert.equal(other.original(made), undefined);
  assert.equal(at(0).original(made.replace("=joe", "=jim")), undefined);
  assert.equal(at(0).original(made.replace("sender.example", "other.example")), undefined);
  assert.equal(at(0).original(made.replace("SRS0", "SRS1")), undefined);
  assert.equal(at(0).original("SRS0=aaaaaaaa=aa=sender.example=joe"), undefined);
  for (const s of ["", "SRS0", "SRS0=", "SRS0==", "SRS0=a=b", "SRS1=a=b=c", "joe"]) {
    assert.equal(at(0).original(s), undefined);
  }
});

Deno.test("over a second and a third forwarder it goes back to the first", () => {
  const first = at(0);
  const second = new Srs(new Uint8Array(32).fill(9), () => 0);
  const third = new Srs(new Uint8Array(32).fill(10), () => 0);
  const one = { localpart: first.rewrite({ localpart: "j", domain: "s.ex" })!, domain: "one.ex" };
  const two = { localpart: second.rewrite(one)!, domain: "two.ex" };
  assert.match(two.localpart, /^SRS1=[a-z2-7]{8}=one\.ex==[a-z2-7]{8}=[a-z2-7]{2}=s\.ex=j$/);
  const three = third.rewrite(two)!;
  assert.equal(three.length, two.localpart.length);
  assert.deepEqual(third.original(three), one);
  assert.deepEqual(second.original(two.localpart), one);
  assert.deepEqual(first.original(one.localpart), { localpart: "j", domain: "s.ex" });
});

Deno.test("a localpart that would be too long is not made", () => {
  assert.equal(at(0).rewrite({ localpart: "a".repeat(40), domain: "sender.example" }), undefined);
  const longest = at(0).rewrite({ localpart: "a".repeat(64 - 17 - 15), domain: "sender.example" })!;
  assert.equal(longest.length, 64);
});

Deno.test("any text is taken apart without failing, and any sender that fits is found again", () => {
  const srs = at(0);
  fc.assert(fc.property(fc.string(), (s) => {
    srs.original(s);
    srs.original(`SRS0=${s}`);
    srs.original(`SRS1=${s}`);
    srs.rewrite({ localpart: s, domain: "d.example" });
    srs.rewrite({ localpart: `SRS1=${s}`, domain: "d.example" });
  }));
  fc.assert(fc.property(fc.stringMatching(/^[a-z0-9=+.-]{1,30}$/), (localpart) => {
    fc.pre(!/^srs/i.test(localpart));
    const sender = { localpart, domain: "d.example" };
    assert.deepEqual(srs.original(srs.rewrite(sender)!), sender);
  }));
});
