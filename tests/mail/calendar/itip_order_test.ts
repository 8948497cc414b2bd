/** RFC 5546 §2.1.5: messages that overtake each other, and those that cross with a change. */
import assert from "node:assert/strict";
import { withCancellation, withInvitation, withReply } from "../../../src/mail/calendar/itip.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { events, partLines } from "./objects.ts";

const start = "DTSTART:20260302T100000Z";
const end = "DTEND:20260302T110000Z";
const boss = "ORGANIZER:mailto:boss@example.org";
const ann = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org";
const stamp = (n: number) => `DTSTAMP:20260201T08000${n}Z`;
const answer = (status: string, n: number, ...more: string[]) =>
  events([
    stamp(n),
    ...(more.some((l) => l.startsWith("DTSTART")) ? [] : [start]),
    ...more,
    boss,
    `ATTENDEE;PARTSTAT=${status}:mailto:ann@example.org`,
  ]);

Deno.test("the answer that was written last counts, in whichever order they come", () => {
  let here = events([start, end, boss, ann]);
  const take = (message: Series, from = "ann@example.org") => {
    const made = withReply(here, message, from);
    if (made !== undefined) here = new Series(made);
    return /PARTSTAT=([A-Z-]+)/.exec(partLines(here.calendar)[0].join("\n"))![1];
  };
  assert.equal(take(answer("ACCEPTED", 3)), "ACCEPTED");
  assert.equal(take(answer("DECLINED", 2)), "ACCEPTED", "overtaken");
  assert.equal(take(answer("ACCEPTED", 6)), "ACCEPTED");
  assert.equal(take(answer("TENTATIVE", 5)), "ACCEPTED", "overtaken by one that says the same");
  assert.equal(take(answer("DECLINED", 7)), "DECLINED");
});

Deno.test("an answer about another time is not one to the event as it is now", () => {
  const here = events([start, end, "SEQUENCE:2", boss, ann]);
  const at = (line: string, ...more: string[]) => answer("ACCEPTED", 3, line, ...more);
  const taken = (m: Series) => withReply(here, m, "ann@example.org") !== undefined;
  assert.equal(taken(at("DTSTART:20260302T090000Z", "SEQUENCE:1")), false, "it crossed");
  assert.equal(taken(at(start, "SEQUENCE:1")), true, "the time is the same");
  assert.equal(taken(at("DTSTART:20260302T090000Z", "SEQUENCE:2")), true, "the number is");
  assert.equal(taken(at("DTSTART:20260302T090000Z")), true, "a program without numbers");
});

Deno.test("who was left out can be invited again, by whatever number", () => {
  const here = events([stamp(1), start, end, "SEQUENCE:1", boss, ann]);
  const cancel = (n: number, sequence: number) =>
    events([stamp(n), start, `SEQUENCE:${sequence}`, boss, ann, "STATUS:CANCELLED"]);
  const gone = new Series(withCancellation(here, cancel(3, 2))!);
  assert.ok(partLines(gone.calendar)[0].includes("STATUS:CANCELLED"));
  const invite = (n: number, sequence: number) =>
    events([stamp(n), start, end, `SEQUENCE:${sequence}`, boss, ann]);
  assert.equal(withInvitation(gone, invite(2, 1)), undefined, "the one from before");
  const again = new Series(withInvitation(gone, invite(4, 1))!);
  assert.deepEqual(partLines(again.calendar), [[start, end, "SEQUENCE:1", boss, ann]]);
  // The cancellation comes by mail after that.
  assert.equal(
    withCancellation(new Series(withInvitation(gone, invite(4, 2))!), cancel(3, 2)),
    undefined,
  );
});

Deno.test("an answer of a delegate, and of who sends one", () => {
  let here = events([start, end, boss, ann]);
  const to = 'DELEGATED-TO="mailto:cy@example.org"';
  const sends = events([
    stamp(1),
    start,
    boss,
    `ATTENDEE;PARTSTAT=DELEGATED;${to}:mailto:ann@example.org`,
  ]);
  const comes = events([
    stamp(2),
    start,
    boss,
    'ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:ann@example.org":mailto:cy@example.org',
  ]);
  assert.equal(withReply(here, comes, "cy@example.org"), undefined, "nobody has sent them");
  here = new Series(withReply(here, sends, "ann@example.org")!);
  here = new Series(withReply(here, comes, "cy@example.org")!);
  const [lines] = partLines(here.calendar);
  const people = lines.filter((l) => l.startsWith("ATTENDEE"));
  assert.equal(people.length, 2);
  assert.match(
    people[0],
    /PARTSTAT=DELEGATED.*DELEGATED-TO="?mailto:cy@example\.org"?.*:mailto:ann@/,
  );
  assert.match(people[1], /PARTSTAT=ACCEPTED.*:mailto:cy@example\.org$/);
});
