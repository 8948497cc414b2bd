/** Calendars and contacts in a real browser: what a phone changes is shown at once; books and privacy of others. */
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { findProgram, lacks } from "../support/programs.ts";
import { type Client, type Json, withJmap } from "../jmap/world.ts";
import { violations } from "./accessibility.ts";
import { nextMonth, pageOfBob } from "./bob.ts";
import { browserFlags, type Look } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

const dialog = (p: Page, name: string) => p.getByRole("dialog", { name, exact: true });

/** Makes or changes something by JMAP, as another program does; the id of what was made. */
async function set(c: Client, type: string, o: Json): Promise<string> {
  const done = await c.call(`${type}/set`, o);
  for (const not of ["notCreated", "notUpdated", "notDestroyed"]) {
    assert.deepEqual(done[not] ?? null, null);
  }
  return done.created?.x.id ?? "";
}

const person = (addressBookId: string, name: string, email: string): Json => ({
  addressBookIds: { [addressBookId]: true },
  name: { full: name },
  emails: { a: { address: email } },
});

Deno.test({
  name: "changes by other programs, books of others and private events in Chromium",
  ignore: lacks("chromium"),
  fn: (t) =>
    withJmap(async (w) => {
      const share = (more: Json) => ({ shareWith: { bob: { mayRead: true, ...more } } });
      const team = await set(w.ann, "AddressBook", {
        create: { x: { name: "Team", ...share({ mayWrite: true }) } },
      });
      const customers = await set(w.ann, "AddressBook", {
        create: { x: { name: "Customers", ...share({}) } },
      });
      const nora = await set(w.ann, "ContactCard", {
        create: { x: person(customers, "Nora North", "nora@north.example") },
      });
      const browser = await chromium.launch({
        executablePath: findProgram("chromium"),
        args: browserFlags,
      });
      try {
        const open = (o: Look) => pageOfBob(browser, w, o);
        const p = await open({});
        const seen = async (q: Page, name: string) => {
          assert.deepEqual(await violations(q), [], name);
          if (pictures) await q.screenshot({ path: `${pictures}/live-${name}.png` });
        };
        const contacts = dialog(p, "Contacts");
        const row = (name: string | RegExp) =>
          contacts.getByRole("list", { name: "Contacts" }).getByRole("button", { name });
        const shown = contacts.getByRole("region", { name: "Contact" });

        await t.step(
          "books of others are shown; what may only be read has no buttons",
          async () => {
            await p.keyboard.press("P");
            await row(/Nora North/).click();
            await shown.getByText("In an address book that ann shares with you.").waitFor();
            assert.equal(await shown.getByRole("button", { name: "Edit" }).count(), 0);
            const options = contacts.getByRole("combobox", { name: "Address book" })
              .getByRole("option");
            assert.deepEqual(await options.allTextContents(), [
              "All address books",
              "My contacts",
              "Team – address book of ann",
              "Customers – address book of ann",
            ]);
            await seen(p, "read");
          },
        );

        await t.step("a contact goes into another's book, and is changed there", async () => {
          await contacts.getByRole("button", { name: "Add a contact" }).click();
          const form = dialog(p, "New contact");
          const books = form.getByRole("combobox", { name: "Address book" });
          assert.deepEqual(await books.getByRole("option").allTextContents(), [
            "My contacts",
            "Team – address book of ann",
          ]);
          await books.selectOption({ label: "Team – address book of ann" });
          await form.getByLabel("First name").fill("Wim");
          await seen(p, "add");
          await form.getByRole("button", { name: "Save" }).click();
          await form.waitFor({ state: "detached" });
          await shown.getByRole("heading", { name: "Wim" }).waitFor();
          await contacts.getByText("Contact saved.").waitFor();
          await shown.getByRole("button", { name: "Edit" }).click();
          const edit = dialog(p, "Edit contact");
          await edit.getByLabel("Last name").fill("West");
          await edit.getByRole("button", { name: "Save" }).click();
          await edit.waitFor({ state: "detached" });
          await shown.getByRole("heading", { name: "Wim West" }).waitFor();
          const { list } = await w.ann.call("ContactCard/get", { properties: ["name"] });
          assert.ok(list.some((c: Json) => c.name.full === "Wim West"), JSON.stringify(list));
        });

        await t.step("what others change is shown, and the focus stays", async () => {
          await row(/Nora North/).click();
          await shown.getByRole("heading", { name: "Nora North" }).waitFor();
          await row(/Nora North/).focus();
          await set(w.ann, "ContactCard", {
            create: { x: person(team, "Adam Early", "adam@early.example") },
          });
          await row(/Adam Early/).waitFor();
          await row(/Nora North/).and(p.locator(":focus")).waitFor();
          await set(w.ann, "ContactCard", { update: { [nora]: { "name/full": "Nora South" } } });
          await shown.getByRole("heading", { name: "Nora South" }).waitFor();
          await row(/Nora South/).waitFor();
          await set(w.ann, "ContactCard", { destroy: [nora] });
          await contacts.getByText("Nora South was deleted elsewhere.").waitFor();
          await row(/Nora South/).waitFor({ state: "detached" });
          await seen(p, "deleted");
          await p.keyboard.press("Escape");
          await contacts.waitFor({ state: "detached" });
        });

        const calendar = dialog(p, "Calendar");
        const on = (day: number, name: RegExp) =>
          calendar.locator(`td[data-day="${nextMonth(day)}"]`).getByRole("button", { name });
        const mine = (await w.bob.call("Calendar/get")).list
          .find((c: Json) => c.isDefault).id as string;
        const event = (title: string, day: number): Json => ({
          calendarIds: { [mine]: true },
          title,
          start: `${nextMonth(day)}T10:00:00`,
          duration: "PT1H",
          timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        });

        await t.step("an event that a phone makes comes into the open calendar", async () => {
          await p.keyboard.press("K");
          await p.keyboard.press("PageDown");
          await calendar.locator(`td[data-day="${nextMonth(10)}"]`).waitFor();
          const id = await set(w.bob, "CalendarEvent", { create: { x: event("Dentist", 10) } });
          await on(10, /Dentist/).waitFor();
          await on(10, /Dentist/).focus();
          await set(w.bob, "CalendarEvent", { create: { x: event("Before", 9) } });
          await on(9, /Before/).waitFor();
          await on(10, /Dentist/).and(p.locator(":focus")).waitFor();
          await set(w.bob, "CalendarEvent", { destroy: [id] });
          await on(10, /Dentist/).waitFor({ state: "detached" });
        });

        await t.step("an event is made private", async () => {
          await on(9, /Before/).click();
          const editor = dialog(p, "Event");
          const privacy = editor.getByRole("combobox", { name: "Privacy" });
          assert.equal(await privacy.inputValue(), "public");
          await privacy.selectOption({ label: "Private: they see only when it is" });
          await seen(p, "privacy");
          await editor.getByRole("button", { name: "Save" }).click();
          await editor.waitFor({ state: "detached" });
          await calendar.getByText("Saved.").waitFor();
          const { list } = await w.bob.call("CalendarEvent/get");
          assert.deepEqual(list.map((e: Json) => [e.title, e.privacy]), [["Before", "private"]]);
          await on(9, /Before/).click();
          await editor.waitFor();
          assert.equal(await privacy.inputValue(), "private");
        });

        await t.step("it is a page for a phone, for the dark, and from right to left", async () => {
          const q = await open({ phone: true, dark: true });
          await q.keyboard.press("P");
          await dialog(q, "Contacts").getByRole("button", { name: /Adam Early/ }).click();
          await q.getByText("In an address book that ann shares with you.").waitFor();
          await seen(q, "phone");
          const over = await q.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth",
          );
          assert.equal(over, false, "nothing is wider than the phone");
        });
      } finally {
        await browser.close();
      }
    }, { jmap: "\t\tWebmailHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" }),
});
