/** Nothing that is written is lost: whatever happens to the connection, the session, the page or the window. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { loggedIn } from "../support/imap_client.ts";
import { lacks } from "../support/programs.ts";
import { discardWriting, patience, withWorld, type World } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();
const mailbox = (p: Page, name: string) => p.locator(`.mailbox[data-name="${name}"]`);
const writing = (p: Page) => p.getByRole("dialog", { name: "Write a message" });
const body = (p: Page) => p.getByLabel("Message text");

/** Texts of the messages in a mailbox, as another mail program reads them. */
async function texts(w: World, name: string): Promise<string[]> {
  const client = await loggedIn(w.server);
  const found: string[] = [];
  try {
    await client.mailboxOpen(name);
    for await (const m of client.fetch("1:*", { source: true })) {
      found.push(m.source!.toString());
    }
  } catch {
    // No such mailbox, or nothing in it.
  }
  await client.logout();
  return found;
}

async function until(what: string, fn: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + patience;
  while (!await fn()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function write(p: Page, subject: string, text: string): Promise<void> {
  await p.keyboard.press("c");
  await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
  await p.getByLabel("Subject").fill(subject);
  await body(p).fill(text);
}

Deno.test({
  name: "what is written is never lost",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));

      await t.step("someone who types without a pause has a draft within seconds", async () => {
        await write(p, "Steady", "");
        await body(p).focus();
        let typing = true;
        const keys = (async () => {
          while (typing) await p.keyboard.type("never a pause ", { delay: 30 });
        })();
        await until(
          "a draft while typing",
          async () => (await texts(w, "Drafts")).some((d) => d.includes("never a pause")),
        ).finally(() => typing = false);
        await keys;
        await writing(p).getByText("Draft saved").waitFor();
        assert.equal((await texts(w, "Drafts")).length, 1);
        await discardWriting(p);
      });

      await t.step("a page that is loaded anew while sending can be undone sends", async () => {
        await p.getByRole("button", { name: "Settings" }).click();
        await p.getByLabel("Undo sending (s)").fill("20");
        await p.getByRole("button", { name: "Save" }).click();
        await p.getByText("Settings saved.").waitFor();
        await write(p, "Called off", "not yet");
        await p.keyboard.press("Control+Enter");
        await p.getByRole("button", { name: "Don't send" }).click();
        await writing(p).waitFor();
        assert.equal((await body(p).inputValue()).trimEnd(), "not yet");
        assert.equal((await texts(w, "Sent")).length, 0);
        await discardWriting(p);
        await p.getByRole("button", { name: "Settings" }).click();
        await p.getByLabel("Undo sending (s)").fill("8");
        await p.getByRole("button", { name: "Save" }).click();
        await p.locator("dialog").waitFor({ state: "detached" });
        await write(p, "Reloaded", "goes all the same");
        await p.keyboard.press("Control+Enter");
        await p.getByText(/^Sending in \d+ seconds?\.$/).waitFor();
        await p.reload();
        await option(p, "Reloaded").waitFor();
        assert.match((await texts(w, "Sent")).join(), /goes all the same/);
        await until("no draft", async () => (await texts(w, "Drafts")).length === 0);
      });

      await t.step(
        "scheduled mail is on the server, and can be changed and called off",
        async () => {
          await write(p, "Next week", "later");
          const options = writing(p).getByRole("button", { name: "Options" });
          const field = p.getByLabel("Send at");
          await options.click();
          await field.fill("2020-01-01T10:00");
          await p.getByRole("button", { name: "Set", exact: true }).click();
          await p.getByText("That time is in the past.").waitFor();
          await p.getByRole("button", { name: "Tomorrow morning" }).click();
          const chosen = await field.inputValue();
          await p.getByRole("button", { name: "Set", exact: true }).click();
          // Looking at the options again leaves them as they are.
          await options.click();
          assert.equal(await field.inputValue(), chosen);
          await p.getByRole("button", { name: "Set", exact: true }).click();
          await writing(p).getByText(/To be sent/).waitFor();
          await p.getByRole("button", { name: "Send later" }).click();
          await p.getByText(/Message will be sent/).waitFor();
          await mailbox(p, "Scheduled").click();
          await option(p, "Next week").click();
          await p.getByRole("button", { name: "Change the time" }).click();
          await p.getByRole("button", { name: "Tomorrow afternoon" }).click();
          await p.getByRole("button", { name: "Set", exact: true }).click();
          await p.getByText(/It will be sent .*14:00/).waitFor();
          await p.locator(".waiting").getByRole("button", { name: "Call off" }).click();
          await p.getByText("It is a draft again").waitFor();
          await mailbox(p, "Drafts").click();
          await option(p, "Next week").click();
          await p.getByRole("button", { name: "Edit draft" }).click();
          await writing(p).getByText(/To be sent/).waitFor();
          await discardWriting(p);
          await mailbox(p, "Inbox").click();
        },
      );

      await t.step("without a connection it is kept in the browser, with its files", async () => {
        await c.setOffline(true);
        await write(p, "On the train", "through the tunnel");
        await writing(p).locator('input[type="file"]').setInputFiles({
          name: "photo.txt",
          mimeType: "text/plain",
          buffer: (await import("node:buffer")).Buffer.from("light\n"),
        });
        await writing(p).getByText("Kept in this browser").waitFor();
        await p.close({ runBeforeUnload: false });
        await c.setOffline(false);
        const again = await c.newPage();
        await again.goto(w.url);
        await writing(again).waitFor();
        await again.getByText("What you were writing is here again.").waitFor();
        assert.equal((await body(again).inputValue()).trimEnd(), "through the tunnel");
        await writing(again).getByText("photo.txt").waitFor();
        await until(
          "the draft with its file",
          async () =>
            (await texts(w, "Drafts")).some((d) =>
              d.includes("through the tunnel") && d.includes("photo.txt")
            ),
        );
        await discardWriting(again);
        await again.close();
      });

      const q = await c.newPage();
      await q.goto(w.url);
      q.on("pageerror", (e) => problems.push(String(e)));
      await q.getByRole("listbox", { name: "Messages" }).waitFor();

      await t.step("a session that ends asks for the login over what is written", async () => {
        await write(q, "Long letter", "Dear all, ");
        const other = await c.newPage();
        await other.goto(w.url);
        await other.getByRole("button", { name: "Log out" }).click();
        await other.getByLabel("Password").waitFor();
        await other.close();
        await q.getByText("What you were writing is kept.").waitFor();
        assert.equal(await body(q).inputValue(), "Dear all, ");
        await q.getByLabel("Email address").fill("mox@localhost");
        await q.getByLabel("Password").fill("moxmoxmox");
        await q.getByRole("button", { name: "Log in" }).click();
        await q.locator("dialog.relogin").waitFor({ state: "detached" });
        await body(q).press("End");
        await body(q).pressSequentially("and so on");
        await writing(q).getByText("Draft saved").waitFor();
        await option(q, "Reloaded").waitFor();
      });

      await t.step(
        "the same draft in two windows is one, and gone from both when sent",
        async () => {
          const other = await c.newPage();
          await other.goto(w.url);
          await mailbox(other, "Drafts").click();
          await option(other, "Long letter").click();
          await other.getByRole("button", { name: "Edit draft" }).click();
          await body(other).pressSequentially("Added. ");
          await writing(other).getByText("Draft saved").waitFor();
          await until(
            "it shows in the first",
            async () => (await body(q).inputValue()).includes("Added."),
          );
          await until("one draft", async () => (await texts(w, "Drafts")).length === 1);
          // Somewhere without the other's broadcasts.
          const far = await w.login(await w.context());
          await mailbox(far, "Drafts").click();
          await option(far, "Long letter").click();
          await far.getByRole("button", { name: "Edit draft" }).click();
          await body(far).pressSequentially("Far. ");
          await writing(far).getByText("Draft saved").waitFor();
          await body(q).pressSequentially("Near. ");
          await q.getByText("This draft was changed in another window.").waitFor();
          await q.getByRole("button", { name: "Keep this version" }).click();
          await writing(q).getByText("Draft saved").waitFor();
          assert.equal((await texts(w, "Drafts")).length, 1);
          await far.context().close();
          await q.keyboard.press("Control+Enter");
          await q.getByText(/^Sending in \d+ seconds?\.$/).waitFor();
          await writing(other).waitFor({ state: "detached" });
          await until(
            "sent",
            async () => (await texts(w, "Sent")).some((m) => m.includes("Near. ")),
          );
          // The copy in Sent comes before the message is handed over, and the draft goes after that.
          await until("no draft", async () => (await texts(w, "Drafts")).length === 0);
          await other.close();
        },
      );

      await t.step("a message is made small, and written in a window of its own", async () => {
        await write(q, "Small", "text");
        await q.getByRole("button", { name: "Minimise" }).click();
        await body(q).waitFor({ state: "hidden" });
        await writing(q).getByRole("button", { name: "Open" }).click();
        await body(q).waitFor();
        const popup = q.waitForEvent("popup");
        await q.getByRole("button", { name: "Pop out" }).click();
        const out = await popup;
        await body(out).waitFor();
        assert.equal((await body(out).inputValue()).trimEnd(), "text");
        await writing(q).waitFor({ state: "detached" });
        await out.close();
      });

      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
