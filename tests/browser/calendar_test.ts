/** The webmail's calendar in a real browser, on a running localserve. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { withWorld } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

const dialog = (p: Page, name: string) => p.getByRole("dialog", { name, exact: true });

/** Waits until the calendar shows what was asked for last. */
async function shown(p: Page, view: string): Promise<void> {
  await p.locator(`.calendar-view[data-view=${view}][aria-busy=false]`).waitFor();
}

/** A day of next month, as YYYY-MM-DD: one that every month has. */
function nextMonth(day: number): string {
  const now = new Date();
  const d = new Date(now.getFullYear(), now.getMonth() + 1, day);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

Deno.test({
  name: "the calendar in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      const calendar = dialog(p, "Calendar");
      const cell = (day: string) => calendar.locator(`td[data-day="${day}"]`);
      const check = async (q: Page, view: string) =>
        assert.deepEqual(await violations(q), [], view);

      await t.step("it opens by a key, and an event that repeats is made", async () => {
        await p.keyboard.press("K");
        await shown(p, "month");
        await check(p, "empty month");
        await p.keyboard.press("PageDown");
        await cell(nextMonth(15)).waitFor();
        await shown(p, "month");
        await p.keyboard.press("n");
        const editor = dialog(p, "New event");
        await editor.getByLabel("Title").fill("Choir");
        await editor.getByLabel("Begins").fill(`${nextMonth(8)}T18:30`);
        await editor.getByLabel("Ends").fill(`${nextMonth(8)}T20:00`);
        await editor.getByLabel("Place").fill("Town hall");
        await editor.getByLabel("Invited").fill("mox@localhost");
        await editor.getByText("mox@localhost has time").waitFor();
        await editor.getByLabel("Invited").fill("");
        await editor.getByLabel("Repeats").selectOption("week");
        await editor.getByLabel("Times").fill("3");
        await check(p, "editor");
        if (pictures) await p.screenshot({ path: `${pictures}/calendar-editor.png` });
        await editor.getByRole("button", { name: "Save" }).click();
        await editor.waitFor({ state: "detached" });
        await calendar.getByText("Saved.").waitFor();
        for (const day of [8, 15, 22]) {
          await cell(nextMonth(day)).getByRole("button", { name: /Choir/ }).waitFor();
        }
      });

      await t.step("a wrong event is refused in words, then made", async () => {
        await calendar.getByRole("button", { name: "New event" }).click();
        const editor = dialog(p, "New event");
        await editor.getByLabel("Title").fill("Trip");
        await editor.getByLabel("Whole day").check();
        await editor.getByLabel("Begins").fill(nextMonth(14));
        await editor.getByLabel("Ends").fill(nextMonth(13));
        await editor.getByRole("button", { name: "Save" }).click();
        await editor.getByText("the event ends before it begins").waitFor();
        await editor.getByLabel("Ends").fill(nextMonth(15));
        await editor.getByRole("button", { name: "Save" }).click();
        await editor.waitFor({ state: "detached" });
        await cell(nextMonth(15)).getByRole("button", { name: /Trip.*Whole day/ }).waitFor();
        await check(p, "month");
        if (pictures) await p.screenshot({ path: `${pictures}/calendar-month.png` });
      });

      await t.step("day, week and list show it; all of a series is changed", async () => {
        await cell(nextMonth(15)).locator(".day-number").click();
        await shown(p, "day");
        await calendar.getByRole("button", { name: /Choir/ }).waitFor();
        await check(p, "day");
        await calendar.getByRole("button", { name: "Week", exact: true }).click();
        await shown(p, "week");
        await calendar.getByRole("button", { name: /Choir/ }).waitFor();
        await check(p, "week");
        if (pictures) await p.screenshot({ path: `${pictures}/calendar-week.png` });
        await calendar.getByRole("button", { name: "List", exact: true }).click();
        await shown(p, "list");
        await check(p, "list");
        if (pictures) await p.screenshot({ path: `${pictures}/calendar-list.png` });
        await calendar.locator(`[data-day="${nextMonth(15)}"]`).getByRole("button", {
          name: /Choir/,
        }).click();
        const question = dialog(p, "An event that repeats");
        await check(p, "question");
        if (pictures) await p.screenshot({ path: `${pictures}/calendar-series.png` });
        await question.getByRole("button", { name: "All dates" }).click();
        const editor = dialog(p, "Event");
        await editor.getByText("a change is one of the whole series").waitFor();
        assert.equal(await editor.getByLabel("Begins").inputValue(), `${nextMonth(8)}T18:30`);
        await editor.getByLabel("Title").fill("Orchestra");
        await editor.getByRole("button", { name: "Save" }).click();
        await editor.waitFor({ state: "detached" });
        await calendar.locator(`[data-day="${nextMonth(22)}"]`).getByRole("button", {
          name: /Orchestra/,
        }).waitFor();
      });

      await t.step("one date is changed alone, those that follow are removed", async () => {
        const on = (day: number, name: RegExp) =>
          calendar.locator(`[data-day="${nextMonth(day)}"]`).getByRole("button", { name });
        await on(15, /Orchestra/).click();
        const question = dialog(p, "An event that repeats");
        await question.getByRole("button", { name: "Only this date" }).click();
        const editor = dialog(p, "Event");
        await editor.getByText("one of this date alone").waitFor();
        assert.equal(await editor.getByLabel("Begins").inputValue(), `${nextMonth(15)}T18:30`);
        assert.equal(await editor.getByLabel("Repeats").count(), 0);
        await editor.getByLabel("Title").fill("Concert");
        await check(p, "one date");
        await editor.getByRole("button", { name: "Save" }).click();
        await editor.waitFor({ state: "detached" });
        await on(15, /Concert/).waitFor();
        await on(22, /Orchestra/).click();
        await question.getByRole("button", { name: "This and all that follow" }).click();
        await editor.getByText("this date and all that follow").waitFor();
        await editor.getByRole("button", { name: "Remove" }).click();
        const sure = dialog(p, "Remove the event?");
        await sure.getByText("This date and all that follow are removed.").waitFor();
        await sure.getByRole("button", { name: "Remove" }).click();
        await on(22, /Orchestra/).waitFor({ state: "detached" });
        await on(15, /Concert/).waitFor();
      });

      await t.step("hours are dragged over for a new event", async () => {
        await calendar.getByRole("button", { name: "Day", exact: true }).click();
        await shown(p, "day");
        const column = calendar.locator(".day-hours");
        const day = await column.getAttribute("data-day");
        // Above and below what can be seen may be nothing of the column.
        await column.evaluate((e) => e.closest(".hours-scroll")!.scrollTo(0, 0));
        const box = (await column.boundingBox())!;
        const y = (hour: number) => box.y + box.height * hour / 24;
        await p.mouse.move(box.x + box.width / 2, y(3.1));
        await p.mouse.down();
        await p.mouse.move(box.x + box.width / 2, y(2), { steps: 3 });
        await p.mouse.move(box.x + box.width / 2, y(1.1), { steps: 3 });
        await column.locator(".dragged").waitFor();
        await check(p, "dragging");
        if (pictures) await p.screenshot({ path: `${pictures}/calendar-drag.png` });
        await p.mouse.up();
        const editor = dialog(p, "New event");
        assert.equal(await editor.getByLabel("Begins").inputValue(), `${day}T01:00`);
        assert.equal(await editor.getByLabel("Ends").inputValue(), `${day}T03:30`);
        await editor.getByRole("button", { name: "Cancel" }).click();
        await editor.waitFor({ state: "detached" });
        assert.equal(await column.locator(".dragged").count(), 0);
        await column.click({ position: { x: box.width / 2, y: box.height * 2.3 / 24 } });
        assert.equal(await editor.getByLabel("Begins").inputValue(), `${day}T02:00`);
        assert.equal(await editor.getByLabel("Ends").inputValue(), `${day}T03:00`);
        await editor.getByRole("button", { name: "Cancel" }).click();
        await editor.waitFor({ state: "detached" });
        await calendar.getByRole("button", { name: "List", exact: true }).click();
        await shown(p, "list");
      });

      await t.step("hours are chosen by keys", async () => {
        await calendar.getByRole("button", { name: "Day", exact: true }).click();
        await shown(p, "day");
        const column = calendar.locator(".day-hours");
        await column.focus();
        await p.keyboard.press("ArrowDown");
        await column.locator(".dragged").waitFor();
        await p.keyboard.press("Home");
        for (let n = 0; n < 3; n++) await p.keyboard.press("ArrowDown");
        for (let n = 0; n < 2; n++) await p.keyboard.press("Shift+ArrowDown");
        await check(p, "chosen by keys");
        if (pictures) await p.screenshot({ path: `${pictures}/calendar-keys.png` });
        const day = await column.getAttribute("data-day");
        await p.keyboard.press("Enter");
        const editor = dialog(p, "New event");
        assert.equal(await editor.getByLabel("Begins").inputValue(), `${day}T01:30`);
        assert.equal(await editor.getByLabel("Ends").inputValue(), `${day}T03:00`);
        await editor.getByRole("button", { name: "Cancel" }).click();
        await editor.waitFor({ state: "detached" });
        await calendar.getByRole("button", { name: "Week", exact: true }).click();
        await shown(p, "week");
        await calendar.locator(".day-hours").nth(1).focus();
        await p.keyboard.press("ArrowUp");
        await p.keyboard.press("ArrowRight");
        await calendar.locator(".day-hours").nth(2).locator(".dragged").waitFor();
        await calendar.getByRole("button", { name: "List", exact: true }).click();
        await shown(p, "list");
      });

      await t.step("an event is removed, and what is there is kept", async () => {
        const concert = calendar.getByRole("button", { name: /Concert/ });
        await concert.first().click();
        await dialog(p, "An event that repeats").getByRole("button", { name: "All dates" }).click();
        await dialog(p, "Event").getByRole("button", { name: "Remove" }).click();
        const question = dialog(p, "Remove the event?");
        await question.getByText("All dates of the series are removed.").waitFor();
        await question.getByRole("button", { name: "Remove" }).click();
        await calendar.getByText("Removed.").waitFor();
        await concert.first().waitFor({ state: "detached" });
        await p.reload();
        await p.getByRole("listbox", { name: "Messages" }).waitFor();
        await p.getByRole("button", { name: "Calendar" }).click();
        // The view is the last one, the day today.
        await shown(p, "list");
        await p.keyboard.press("PageDown");
        await p.keyboard.press("PageUp");
        await calendar.getByRole("button", { name: /Trip/ }).first().waitFor();
        assert.equal(await concert.count(), 0);
        await p.keyboard.press("Escape");
        await calendar.waitFor({ state: "detached" });
      });

      await t.step("it is a page for a phone, and for the dark", async () => {
        const q = await w.login(await w.context({ phone: true, dark: true }));
        await q.getByRole("button", { name: "Mailboxes" }).click();
        await q.getByRole("button", { name: "Calendar" }).click();
        await shown(q, "month");
        await q.getByRole("button", { name: "Next" }).click();
        await q.locator(`td[data-day="${nextMonth(15)}"]`).getByRole("button", { name: /Trip/ })
          .waitFor();
        await check(q, "month on a phone");
        if (pictures) await q.screenshot({ path: `${pictures}/calendar-phone.png` });
        const over = await q.evaluate(
          "document.documentElement.scrollWidth > document.documentElement.clientWidth",
        );
        assert.equal(over, false, "nothing is wider than the phone");
      });
      assert.deepEqual(problems, []);
    });
  },
});
