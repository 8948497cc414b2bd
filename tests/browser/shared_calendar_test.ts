/** Invitations and calendars of others in the webmail's calendar, in a real browser, between two accounts. */
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { findProgram, lacks } from "../support/programs.ts";
import { type Json, withJmap, type World } from "../jmap/world.ts";
import { violations } from "./accessibility.ts";
import { nextMonth, pageOfBob } from "./bob.ts";
import { browserFlags, type Look } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

const dialog = (p: Page, name: string) => p.getByRole("dialog", { name, exact: true });

/** What ann has: two calendars that bob sees, one of them to write, and a meeting that he is invited to. */
async function prepare({ ann }: World): Promise<string> {
  const bob = (rights: Json) => ({ shareWith: { bob: { mayReadItems: true, ...rights } } });
  const { created } = await ann.call("Calendar/set", {
    create: {
      team: { name: "Team", color: "#8a5200", ...bob({ mayWriteAll: true }) },
      trips: { name: "Trips", color: "#6b3fa0", ...bob({}) },
    },
  });
  const event = (calendarId: string, title: string, day: number, more: Json = {}) => ({
    calendarIds: { [calendarId]: true },
    title,
    start: `${nextMonth(day)}T10:00:00`,
    duration: "PT1H",
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...more,
  });
  const [own] = (await ann.call("Calendar/get")).list.filter((c: Json) => c.isDefault);
  const person = (address: string) => ({
    email: address,
    roles: { attendee: true },
    participationStatus: "needs-action",
    expectReply: true,
  });
  const made = await ann.call("CalendarEvent/set", {
    sendSchedulingMessages: true,
    create: {
      plan: event(created.team.id, "Release plan", 10),
      review: event(created.team.id, "Review with others", 11, {
        participants: { x: person("x@to.example") },
      }),
      trip: event(created.trips.id, "Trip to Rome", 12, {
        showWithoutTime: true,
        timeZone: null,
        start: `${nextMonth(12)}T00:00:00`,
        duration: "P2D",
        description: "Tickets are with Ann. The train leaves early, so we meet at the station.",
      }),
      lunch: event(own.id, "Lunch with the whole team", 13, {
        locations: { a: { name: "Canteen, second floor" } },
        description: "What comes next, and who does it.",
        participants: { b: person("bob@mox.example"), x: person("x@to.example") },
      }),
    },
  });
  assert.deepEqual(made.notCreated ?? null, null);
  return made.created.plan.id;
}

Deno.test({
  name: "invitations and calendars of others in Chromium",
  ignore: lacks("chromium"),
  fn: (t) =>
    withJmap(async (w) => {
      const planId = await prepare(w);
      const browser = await chromium.launch({
        executablePath: findProgram("chromium"),
        args: browserFlags,
      });
      try {
        const open = (o: Look) => pageOfBob(browser, w, o);
        const p = await open({});
        const calendar = dialog(p, "Calendar");
        const on = (day: number, name: RegExp) =>
          calendar.locator(`td[data-day="${nextMonth(day)}"]`).getByRole("button", { name });
        const seen = async (q: Page, name: string) => {
          assert.deepEqual(await violations(q), [], name);
          if (pictures) await q.screenshot({ path: `${pictures}/shared-${name}.png` });
        };
        await p.keyboard.press("K");
        // Its script is loaded first: keys are the list's until it is there.
        await p.locator(".calendar-view[data-view=month][aria-busy=false]").waitFor();
        await p.keyboard.press("PageDown");
        await on(10, /Release plan/).waitFor();

        await t.step("an invitation is answered", async () => {
          await on(13, /Lunch/).click();
          const shown = dialog(p, "Lunch with the whole team");
          await shown.getByRole("button", { name: "Accept" }).waitFor();
          await seen(p, "answer");
          await shown.getByRole("button", { name: "Accept" }).click();
          await shown.waitFor({ state: "detached" });
          await calendar.getByText("Answered.").waitFor();
          await on(13, /Lunch/).click();
          await shown.locator("button[aria-pressed=true]", { hasText: "Accept" }).waitFor();
          await seen(p, "answered");
          await p.keyboard.press("Escape");
          await shown.waitFor({ state: "detached" });
        });

        await t.step("an event in a shared calendar is changed", async () => {
          await on(10, /Release plan/).click();
          const editor = dialog(p, "Event");
          await editor.getByText("In a calendar that ann shares with you.").waitFor();
          assert.equal(await editor.getByLabel("Invited").isVisible(), false);
          await seen(p, "editor");
          await editor.getByLabel("Title").fill("Release party");
          await editor.getByRole("button", { name: "Save" }).click();
          await editor.waitFor({ state: "detached" });
          await on(10, /Release party/).waitFor();
          const { list } = await w.ann.call("CalendarEvent/get", { ids: [planId] });
          assert.equal(list[0].title, "Release party");
          const notes = (await w.ann.call("CalendarEventNotification/get")).list;
          assert.deepEqual(
            notes.map((n: Json) => n.eventPatch?.title).filter(Boolean),
            ["Release party"],
          );
        });

        await t.step("a new event goes into it", async () => {
          await calendar.getByRole("button", { name: "New event" }).click();
          const editor = dialog(p, "New event");
          await editor.getByLabel("Title").fill("Stand-up");
          await editor.getByLabel("Begins").fill(`${nextMonth(14)}T09:00`);
          await editor.getByLabel("Ends").fill(`${nextMonth(14)}T09:15`);
          await editor.getByLabel("Invited").waitFor();
          await editor.getByRole("combobox", { name: "Calendar" })
            .selectOption({ label: "Team – calendar of ann" });
          await editor.getByLabel("Invited").waitFor({ state: "hidden" });
          await seen(p, "new");
          await editor.getByRole("button", { name: "Save" }).click();
          await editor.waitFor({ state: "detached" });
          await on(14, /Stand-up.*calendar of ann/).waitFor();
        });

        await t.step("what can only be read is shown so", async () => {
          await on(12, /Trip/).click();
          const trip = dialog(p, "Trip to Rome");
          await trip.getByText("In a calendar that ann shares with you.").waitFor();
          await seen(p, "read");
          await p.keyboard.press("Escape");
          await trip.waitFor({ state: "detached" });
          await on(11, /Review/).click();
          const review = dialog(p, "Review with others");
          await review.getByText("Others are invited: only ann can change it.").waitFor();
          await seen(p, "others");
          await p.keyboard.press("Escape");
          await review.waitFor({ state: "detached" });
        });

        await t.step("it is a page for a phone, for the dark, and from right to left", async () => {
          const q = await open({ phone: true, dark: true });
          await q.getByRole("button", { name: "Mailboxes" }).click();
          await q.getByRole("button", { name: "Calendar" }).click();
          await q.getByRole("button", { name: "Next" }).click();
          await q.locator(`td[data-day="${nextMonth(13)}"]`).getByRole("button", { name: /Lunch/ })
            .click();
          await dialog(q, "Lunch with the whole team").getByRole("button", { name: "Decline" })
            .waitFor();
          await seen(q, "answer-phone");
          const over = await q.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth",
          );
          assert.equal(over, false, "nothing is wider than the phone");

          const r = await open({ dark: true });
          await r.getByRole("button", { name: "Settings", exact: true }).click();
          await r.getByLabel("Language", { exact: true }).selectOption({ label: "العربية" });
          await r.getByRole("button", { name: "Save", exact: true }).click();
          await r.locator('html[dir="rtl"][lang="ar"]').waitFor({ state: "attached" });
          await r.getByRole("listbox").first().waitFor();
          await r.keyboard.press("K");
          const month = r.locator(".calendar-view[data-view=month][aria-busy=false]");
          await month.waitFor();
          await r.keyboard.press("PageDown");
          const there = (day: number, name: RegExp) =>
            r.locator(`td[data-day="${nextMonth(day)}"]`).getByRole("button", { name });
          await there(13, /Lunch/).click();
          await r.locator(".event-answers").waitFor();
          await seen(r, "answer-ar");
          await r.keyboard.press("Escape");
          await r.locator(".event-answers").waitFor({ state: "detached" });
          await there(11, /Review/).click();
          await r.locator(".event-shown").waitFor();
          await seen(r, "others-ar");
          await r.keyboard.press("Escape");
          await r.locator(".event-shown").waitFor({ state: "detached" });
          await there(10, /Release/).click();
          await r.locator(".event-form").waitFor();
          await seen(r, "editor-ar");
        });
      } finally {
        await browser.close();
      }
    }, { jmap: "\t\tWebmailHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" }),
});
