/** The account's contacts in a real browser, on a running localserve, with a phone that changes them too. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { endDialog, withWorld, type World } from "./browser.ts";

const dialog = (p: Page, name: string) => p.getByRole("dialog", { name, exact: true });
const row = (p: Page, name: string) =>
  dialog(p, "Contacts").getByRole("list", { name: "Contacts" }).getByRole("button", { name });
const person = (p: Page) => dialog(p, "Contacts").getByRole("region", { name: "Contact" });
const said = (p: Page, text: string) =>
  dialog(p, "Contacts").getByRole("status").getByText(text, { exact: true }).waitFor();

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

/** A phone: reads or writes a card by CardDAV. */
async function phone(w: World, name: string, card?: string): Promise<string> {
  const r = await fetch(
    `http://localhost:${w.server.http}/dav/addressbooks/mox/default/${encodeURIComponent(name)}`,
    {
      method: card === undefined ? "GET" : "PUT",
      body: card,
      headers: {
        authorization: `Basic ${btoa("mox@localhost:moxmoxmox")}`,
        "content-type": "text/vcard; charset=utf-8",
      },
    },
  );
  const text = await r.text();
  assert.ok(r.ok, `${r.status} ${text}`);
  return text;
}

const card = (uid: string, name: string, more = "") =>
  `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nFN:${name}\r\nN:${
    name.split(" ").reverse().join(";")
  };;;\r\n${more}END:VCARD\r\n`;

Deno.test({
  name: "contacts in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({ from: "Bo Berg <bo@berg.example>", subject: "Boats", text: "x" });
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      const contacts = dialog(p, "Contacts");

      await t.step("one is added by keys alone, from the key that opens them", async () => {
        await p.getByRole("option", { name: "Boats" }).first().waitFor();
        await p.keyboard.press("P");
        await contacts.getByText("No contacts yet.").waitFor();
        await contacts.getByRole("button", { name: "Add a contact" }).press("Enter");
        const form = dialog(p, "New contact");
        await form.getByLabel("First name").and(p.locator(":focus")).waitFor();
        await p.keyboard.type("Ann");
        await p.keyboard.press("Tab");
        await p.keyboard.type("Lee");
        await form.getByRole("textbox", { name: "E-mail address" }).fill("not an address");
        await p.keyboard.press("Enter");
        await form.getByRole("alert").getByText("not an address is not an e-mail address")
          .waitFor();
        assert.deepEqual(await violations(p), []);
        if (pictures) await p.screenshot({ path: `${pictures}/contact-form.png` });
        await form.getByRole("textbox", { name: "E-mail address" }).fill("ann@lee.example");
        await p.keyboard.press("Enter");
        await said(p, "Contact saved.");
        await form.waitFor({ state: "detached" });
        await person(p).getByRole("heading", { name: "Ann Lee" }).waitFor();
        await row(p, "Ann Lee").waitFor();
        await endDialog(p);
      });

      await t.step("a message's sender becomes one, once", async () => {
        await p.getByRole("option", { name: "Boats" }).first().click();
        const add = async () => {
          await p.getByRole("button", { name: "More", exact: true }).click();
          await p.getByRole("menuitem", { name: "Add sender to contacts" }).click();
        };
        await add();
        const form = dialog(p, "New contact");
        assert.equal(await form.getByLabel("First name").inputValue(), "Bo");
        assert.equal(await form.getByLabel("Last name").inputValue(), "Berg");
        await form.getByRole("button", { name: "Save" }).click();
        await p.getByText("Contact saved.").waitFor();
        await form.waitFor({ state: "detached" });
        await add();
        await p.getByText("bo@berg.example is a contact already: Bo Berg").waitFor();
      });

      await t.step("they are searched, and edited without overwriting the phone", async () => {
        const more = "X-Phone:kept\\; so\r\nTEL;TYPE=CELL:+49 1\r\n";
        await phone(w, "dora.vcf", card("dora", "Dora Delta", more));
        await p.getByRole("button", { name: "Contacts", exact: true }).click();
        await row(p, "Dora Delta").waitFor();
        await contacts.getByRole("searchbox").fill("delta");
        await row(p, "Bo Berg").waitFor({ state: "detached" });
        await p.keyboard.press("ArrowDown");
        await row(p, "Dora Delta").and(p.locator(":focus")).waitFor();
        await p.keyboard.press("Enter");
        await person(p).getByText("+49 1").waitFor();
        assert.deepEqual(await violations(p), []);
        if (pictures) await p.screenshot({ path: `${pictures}/contacts.png` });
        await person(p).getByRole("button", { name: "Edit" }).click();
        const form = dialog(p, "Edit contact");
        await form.getByLabel("Organisation").fill("Boats");
        // The phone is faster.
        await phone(w, "dora.vcf", card("dora", "Dora Echo", more));
        await form.getByRole("button", { name: "Save" }).click();
        await form.getByText("changed elsewhere meanwhile").waitFor();
        await form.getByRole("button", { name: "Show the newer version" }).click();
        await form.waitFor({ state: "detached" });
        await person(p).getByRole("heading", { name: "Dora Echo" }).waitFor();
        await person(p).getByRole("button", { name: "Edit" }).click();
        await form.getByLabel("Organisation").fill("Boats");
        await form.getByRole("button", { name: "Save" }).click();
        await said(p, "Contact saved.");
        await form.waitFor({ state: "detached" });
        await person(p).getByText("Boats").waitFor();
        const stored = await phone(w, "dora.vcf");
        assert.ok(stored.includes(`\r\n${more}`), stored);
        assert.match(stored, /\r\nORG:Boats\r\n/);
      });

      await t.step(
        "a file comes in, a book goes out, one is deleted after a question",
        async () => {
          await contacts.getByRole("searchbox").fill("");
          await row(p, "Bo Berg").waitFor();
          const [chooser] = await Promise.all([
            p.waitForEvent("filechooser"),
            contacts.getByRole("button", { name: "Import" }).click(),
          ]);
          await chooser.setFiles({
            name: "people.vcf",
            mimeType: "text/vcard",
            buffer: Buffer.from(card("e", "Eva Elm") + card("f", "Finn Fir")),
          });
          await said(p, "2 contacts imported.");
          await row(p, "Finn Fir").waitFor();
          const [file] = await Promise.all([
            p.waitForEvent("download"),
            contacts.getByRole("button", { name: "Export" }).click(),
          ]);
          assert.equal(file.suggestedFilename(), "contacts.vcf");
          const text = await Deno.readTextFile(await file.path());
          assert.equal(text.match(/^BEGIN:VCARD/gm)!.length, 5);
          await row(p, "Eva Elm").click();
          await person(p).getByRole("heading", { name: "Eva Elm" }).waitFor();
          await person(p).getByRole("button", { name: "Delete" }).click();
          const question = dialog(p, "Delete contact");
          await question.getByRole("button", { name: "Cancel" }).click();
          await question.waitFor({ state: "detached" });
          await person(p).getByRole("button", { name: "Delete" }).click();
          await question.getByRole("button", { name: "Delete" }).click();
          await said(p, "Contact deleted.");
          await row(p, "Eva Elm").waitFor({ state: "detached" });
          assert.equal(await person(p).getByRole("heading").count(), 0);
        },
      );

      await t.step("one writes to them", async () => {
        await row(p, "Ann Lee").click();
        await person(p).getByRole("button", { name: "ann@lee.example" }).click();
        await contacts.waitFor({ state: "detached" });
        const writing = dialog(p, "Write a message");
        await writing.getByRole("listitem").filter({ hasText: "ann@lee.example" }).waitFor();
        await writing.getByRole("button", { name: "Discard" }).click();
        await writing.waitFor({ state: "detached" });
      });

      await t.step("a group is made and written to; doubles become one", async () => {
        await p.getByRole("button", { name: "Contacts", exact: true }).click();
        await row(p, "Ann Lee").click();
        await person(p).getByRole("button", { name: "Add to a group" }).click();
        await p.getByRole("menuitem", { name: "New group…" }).click();
        const name = dialog(p, "New group");
        await name.getByLabel("Name of the group").fill("Choir");
        await name.getByRole("button", { name: "Save" }).click();
        await said(p, "Added to Choir.");
        await row(p, "Bo Berg").click();
        await person(p).getByRole("heading", { name: "Bo Berg" }).waitFor();
        await person(p).getByRole("button", { name: "Add to a group" }).click();
        await p.getByRole("menuitem", { name: "Choir" }).click();
        await said(p, "Added to Choir.");
        await row(p, "Choir").click();
        await person(p).getByRole("button", { name: "Bo Berg", exact: true }).waitFor();
        assert.deepEqual(await violations(p), []);
        if (pictures) await p.screenshot({ path: `${pictures}/contact-group.png` });
        await phone(w, "twice.vcf", card("twice", "Ann Lee", "TEL:+49 22\r\n"));
        await contacts.getByRole("button", { name: "Find doubles" }).click();
        const doubles = dialog(p, "Contacts that are there twice");
        await doubles.getByRole("button", { name: "Make one of these" }).waitFor();
        assert.deepEqual(await violations(p), []);
        if (pictures) await p.screenshot({ path: `${pictures}/contact-doubles.png` });
        await doubles.getByRole("button", { name: "Make one of these" }).click();
        await doubles.getByText("No contact is there twice.").waitFor();
        await doubles.getByRole("button", { name: "Close", exact: true }).last().click();
        await doubles.waitFor({ state: "detached" });
        await row(p, "Choir").click();
        await person(p).getByRole("button", { name: "Write to all" }).click();
        await contacts.waitFor({ state: "detached" });
        const writing = dialog(p, "Write a message");
        await writing.getByRole("listitem").filter({ hasText: "ann@lee.example" }).waitFor();
        await writing.getByRole("listitem").filter({ hasText: "bo@berg.example" }).waitFor();
        await writing.getByRole("button", { name: "Discard" }).click();
        await writing.waitFor({ state: "detached" });
      });

      await t.step("a group is completed by its name while writing", async () => {
        await p.keyboard.press("c");
        const writing = dialog(p, "Write a message");
        await writing.getByRole("combobox", { name: "To", exact: true }).fill("cho");
        await writing.getByRole("option", { name: "Choir Group: Ann Lee, Bo Berg" }).waitFor();
        assert.deepEqual(await violations(p), [], "completion of a group");
        if (pictures) await p.screenshot({ path: `${pictures}/complete-group.png` });
        await p.keyboard.press("Enter");
        await writing.getByRole("listitem").filter({ hasText: "ann@lee.example" }).waitFor();
        await writing.getByRole("listitem").filter({ hasText: "bo@berg.example" }).waitFor();
        await writing.getByRole("button", { name: "Discard" }).click();
        await writing.waitFor({ state: "detached" });
      });
      assert.deepEqual(problems, []);
      await c.close();

      await t.step("in the dark and on a phone", async () => {
        for (
          const [name, look] of [["dark", { dark: true }], ["phone", { phone: true }]] as const
        ) {
          const c = await w.context(look);
          const p = await w.login(c);
          if (name === "phone") {
            await p.getByRole("button", { name: "Mailboxes", exact: true }).click();
          }
          await p.getByRole("button", { name: "Contacts", exact: true }).click();
          await row(p, "Ann Lee").click();
          await person(p).getByRole("heading", { name: "Ann Lee" }).waitFor();
          assert.deepEqual(await violations(p), [], name);
          if (pictures) await p.screenshot({ path: `${pictures}/contacts-${name}.png` });
          await row(p, "Choir").click();
          await person(p).getByRole("heading", { name: "Choir" }).waitFor();
          assert.deepEqual(await violations(p), [], `group, ${name}`);
          if (pictures) await p.screenshot({ path: `${pictures}/contact-group-${name}.png` });
          await dialog(p, "Contacts").getByRole("button", { name: "Find doubles" }).click();
          const doubles = dialog(p, "Contacts that are there twice");
          await doubles.getByText("No contact is there twice.").waitFor();
          assert.deepEqual(await violations(p), [], `doubles, ${name}`);
          if (pictures) await p.screenshot({ path: `${pictures}/contact-doubles-${name}.png` });
          await c.close();
        }
      });
    });
  },
});
