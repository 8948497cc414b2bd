/** Reading mail in a real browser, on a running localserve. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { endDialog, patience, withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();
const mailbox = (p: Page, name: string) => p.locator(`.mailbox[data-name="${name}"]`);
const messageText = (p: Page, text: string) =>
  p.locator(".text-body").getByText(text).first().waitFor();

/** Waits until so many elements are there. */
async function count(p: Page, selector: string, n: number): Promise<void> {
  await p.locator(selector).nth(n - 1).waitFor();
  await p.locator(selector).nth(n).waitFor({ state: "detached" });
}

Deno.test({
  name: "reading mail in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      const old = (days: number) => new Date(Date.now() - days * 86_400_000);
      await w.append({ subject: "Boats", text: "The keys are at the desk.", date: old(9) });
      await w.append({
        subject: "Poster",
        text: "First draft.",
        date: old(5),
        messageId: "<a@x.y>",
      });
      await w.append({
        from: "Jonas <jonas@example.org>",
        subject: "Re: Poster",
        text: "Smaller logo, please. See https://print.example/1",
        date: old(4),
        messageId: "<b@x.y>",
        inReplyTo: "<a@x.y>",
      });
      await w.append({
        from: "News <news@example.org>",
        subject: "News",
        html: `<p>Hello <b>there</b></p><img src="https://tracker.example/x.png">`,
        date: old(3),
        attachments: [{ filename: "list.txt", content: "one\ntwo\n" }],
      });
      const c = await w.context();
      const p = await c.newPage();
      const foreign: string[] = [];
      const problems: string[] = [];
      p.on("request", (r) => {
        if (new URL(r.url()).protocol.startsWith("http") && !r.url().startsWith(w.url)) {
          foreign.push(r.url());
        }
      });
      p.on("pageerror", (e) => problems.push(String(e)));

      await t.step(
        "a wrong password is refused in words, the right one shows the inbox",
        async () => {
          await p.goto(w.url);
          await p.getByLabel("Email address").fill("mox@localhost");
          await p.getByLabel("Password").fill("wrong");
          await p.getByRole("button", { name: "Log in" }).click();
          await p.getByRole("alert").filter({ hasText: /./ }).first().waitFor();
          await p.getByLabel("Password").fill("moxmoxmox");
          await p.getByRole("button", { name: "Log in" }).click();
          await option(p, "Boats").waitFor();
          assert.match(await mailbox(p, "Inbox").innerText(), /4/);
        },
      );

      await t.step("an opened message shows its text and counts as read", async () => {
        await option(p, "Boats").click();
        await messageText(p, "The keys are at the desk.");
        await p.locator('.message[aria-selected="true"]:not(.unread)').waitFor();
        await mailbox(p, "Inbox").getByText("3 unread").waitFor();
      });

      await t.step("after five seconds it is marked as not junk, which is said once", async () => {
        await p.getByText("open for 5 seconds are marked as not junk").waitFor();
        await p.getByRole("button", { name: "Dismiss" }).click();
        assert.equal(await p.locator(".message-fields .label", { hasText: /junk/ }).count(), 0);
      });

      await t.step("keys go through the list and come back", async () => {
        await p.keyboard.press("Home");
        await p.locator(".message-head h1", { hasText: "News" }).waitFor();
        await p.keyboard.press("j");
        await p.locator(".message-head h1", { hasText: "Poster" }).waitFor();
        await messageText(p, "First draft.");
        await p.keyboard.press("k");
        await p.locator(".message-head h1", { hasText: "News" }).waitFor();
      });

      await t.step(
        "a message without text is shown as HTML; others' servers hear nothing",
        async () => {
          const frame = p.frameLocator(".message-body iframe");
          await frame.getByText("Hello there").waitFor();
          assert.deepEqual(foreign, []);
          await p.route(/tracker\.example/, (r) => r.abort());
          const asked = p.waitForRequest(/tracker\.example/);
          await p.getByRole("button", { name: "With external content" }).click();
          await asked;
          assert.deepEqual(new Set(foreign), new Set(["https://tracker.example/x.png"]));
          foreign.length = 0;
        },
      );

      await t.step("an attachment is viewed", async () => {
        await p.getByRole("button", { name: /list\.txt/ }).click();
        await p.frameLocator("dialog iframe").getByText("one").waitFor();
        await endDialog(p);
      });

      await t.step("a thread collapses and expands, and stays so after a reload", async () => {
        await option(p, /Jonas.* Re: Poster/).click();
        await messageText(p, "Smaller logo");
        const link = p.locator(".text-body a");
        assert.equal(await link.getAttribute("title"), "Opens print.example");
        await p.keyboard.press("C");
        await option(p, /thread of 2/).waitFor();
        await p.reload();
        await option(p, /thread of 2/).click();
        await p.keyboard.press("ArrowRight");
        await option(p, /Jonas.* Re: Poster/).waitFor();
        assert.equal(await p.getByRole("option").count(), 4);
      });

      await t.step("muting a thread collapses it and says what it does", async () => {
        await option(p, /Jonas.* Re: Poster/).click();
        await messageText(p, "Smaller logo");
        await p.keyboard.press("M");
        await p.getByText("Thread muted").waitFor();
        await p.locator(".message.muted.collapsed").waitFor();
        await p.keyboard.press("M");
        await p.getByText("no longer muted").waitFor();
        await p.locator(".message.muted").waitFor({ state: "detached" });
        await p.keyboard.press("C");
        await count(p, ".message", 4);
      });

      await t.step("a flag is set by a key, and by another window too", async () => {
        const other = await c.newPage();
        await other.goto(w.url);
        await option(other, "Boats").waitFor();
        await option(p, "Boats").click();
        await messageText(p, "The keys");
        await p.keyboard.press("s");
        await option(other, /Flagged.*Boats/).waitFor();
        await option(other, "Boats").click();
        await messageText(other, "The keys");
        await other.getByRole("button", { name: "Unflag" }).click();
        await p.getByRole("option", { name: /Flagged/ }).first().waitFor({ state: "detached" });
        await other.close();
      });

      await t.step("search: conditions, completion, mistakes, and the form", async () => {
        const search = p.getByRole("combobox", { name: "Search messages" });
        await search.fill("from:jonas logo");
        await search.press("Enter");
        await p.locator(".list-status", { hasText: "1 message" }).waitFor();
        await option(p, /Jonas.* Re: Poster/).waitFor();
        await search.fill("is:unr");
        await p.locator(".search-input .completions").getByText("is:unread").waitFor();
        await search.fill("is:nonsense");
        await search.press("Enter");
        await p.getByText("is:nonsense is not known").waitFor();
        await search.fill("");
        await option(p, "Boats").waitFor();
        await p.getByRole("button", { name: "Filter" }).click();
        await p.getByLabel("Subject").fill("boats");
        await p.getByRole("dialog").getByRole("button", { name: "Search" }).click();
        await p.locator(".list-status", { hasText: "1 message" }).waitFor();
        assert.equal(await search.inputValue(), "subject:boats");
        await search.fill("");
        await option(p, "News").waitFor();
      });

      await t.step("moving is undone, by the menu, a key, and by dragging", async () => {
        await option(p, "Boats").click();
        await messageText(p, "The keys");
        await p.keyboard.press("a");
        await p.getByText("1 message moved to archive.").waitFor();
        await option(p, "Boats").waitFor({ state: "detached" });
        await p.keyboard.press("z");
        await p.getByText("Undone for 1 message.").waitFor();
        await option(p, "Boats").waitFor();
        await option(p, "Boats").click();
        await p.locator(".message-head h1", { hasText: "Boats" }).waitFor();
        await p.getByRole("button", { name: "Move", exact: true }).click();
        await p.getByRole("menuitem", { name: "Sent" }).click();
        await option(p, "Boats").waitFor({ state: "detached" });
        const moved = p.locator(".toast").filter({ hasText: "1 message moved to Sent." });
        await moved.getByRole("button", { name: "Undo" }).click();
        await option(p, "Boats").dragTo(mailbox(p, "Trash"));
        await option(p, "Boats").waitFor({ state: "detached" });
        await mailbox(p, "Trash").click();
        await option(p, "Boats").waitFor();
        await mailbox(p, "Inbox").click();
      });

      await t.step("several are selected with ctrl and shift, and acted on together", async () => {
        await option(p, "News").click();
        await option(p, /Jonas.* Re: Poster/).click({ modifiers: ["Shift"] });
        await p.getByText("3 messages selected.").waitFor();
        await option(p, "News").click({ modifiers: ["Control"] });
        await p.getByText("2 messages selected.").waitFor();
        await p.keyboard.press("u");
        // A thread that is read is collapsed: one line.
        await count(p, ".message.collapsed.unread", 1);
        await p.keyboard.press("d");
        await p.getByText("2 messages deleted.").waitFor();
        await count(p, ".message", 1);
        await p.keyboard.press("z");
        await count(p, ".message", 3);
        await p.locator(".list-status", { hasText: "3 messages" }).waitFor();
      });

      await t.step("a mailbox is made, renamed and deleted", async () => {
        await p.getByRole("button", { name: "New mailbox" }).click();
        await p.getByRole("textbox", { name: /Name/ }).fill("Lists/Deno");
        await p.getByRole("button", { name: "Create" }).click();
        await mailbox(p, "Lists/Deno").waitFor();
        await mailbox(p, "Lists/Deno").click({ button: "right" });
        await p.getByRole("menuitem", { name: "Rename" }).click();
        await p.getByRole("textbox", { name: /New name/ }).fill("Lists/News");
        await p.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
        await mailbox(p, "Lists/News").waitFor();
        await mailbox(p, "Lists/News").click({ button: "right" });
        await p.getByRole("menuitem", { name: "Delete" }).click();
        await p.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
        await mailbox(p, "Lists/News").waitFor({ state: "detached", timeout: patience });
      });

      assert.deepEqual(problems, []);
      assert.deepEqual(foreign, []);
      await c.close();
    });
  },
});
