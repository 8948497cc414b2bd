/** Mailboxes that others share, in the webmail in a real browser, between two accounts. */
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { findProgram, lacks } from "../support/programs.ts";
import { withJmap, type World } from "../jmap/world.ts";
import { violations } from "./accessibility.ts";
import { pageOfBob } from "./bob.ts";
import { browserFlags, discardWriting, type Look } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

const mail = (subject: string, text: string) =>
  `From: Ann Example <ann@mox.example>\r\nTo: team@mox.example\r\nSubject: ${subject}\r\n` +
  `Message-ID: <${subject.replaceAll(" ", "-")}@mox.example>\r\n\r\n${text}\r\n`;

const all = {
  mayReadItems: true,
  mayAddItems: true,
  mayRemoveItems: true,
  maySetSeen: true,
  maySetKeywords: true,
};

/** What ann has: a mailbox that bob may do all with, one that he may read, and one of her own. */
async function prepare({ ann }: World): Promise<Record<"team" | "news", string>> {
  const { created, notCreated } = await ann.call("Mailbox/set", {
    create: {
      team: { name: "Team", shareWith: { bob: all } },
      news: { name: "News", shareWith: { bob: { mayReadItems: true } } },
      own: { name: "Diary" },
    },
  });
  assert.deepEqual(notCreated ?? null, null);
  for (const subject of ["Release plan", "Who brings cake"]) {
    await ann.import(mail(subject, "The giraffe is in the garden."), created.team.id);
  }
  await ann.import(mail("What is new", "Nothing so far."), created.news.id);
  return { team: created.team.id, news: created.news.id };
}

Deno.test({
  name: "mailboxes of others in Chromium",
  ignore: lacks("chromium"),
  fn: (t) =>
    withJmap(async (w) => {
      const ids = await prepare(w);
      const browser = await chromium.launch({
        executablePath: findProgram("chromium"),
        args: browserFlags,
      });
      try {
        const open = (o: Look) => pageOfBob(browser, w, o);
        const seen = async (q: Page, name: string) => {
          assert.deepEqual(await violations(q), [], name);
          if (pictures) await q.screenshot({ path: `${pictures}/shared-mail-${name}.png` });
        };
        const p = await open({});
        const box = (name: string, q = p) =>
          q.locator(`.mailbox[data-name="Other Users/ann/${name}"]`);
        const row = (subject: string, q = p) => q.getByRole("option").filter({ hasText: subject });
        const place = (name: string, q = p) =>
          q.getByRole("heading", { level: 1, name, exact: true });
        const tool = (name: string, q = p) =>
          q.getByRole("region", { name: "Message", exact: true })
            .getByRole("button", { name, exact: true });

        await t.step("they stand under their owner, and are read", async () => {
          await p.getByRole("heading", { name: "Shared with me" }).waitFor();
          await p.getByRole("heading", { name: "Ann (ann)" }).waitFor();
          assert.equal(await box("Diary").count(), 0);
          await box("Team").click();
          await place("Team").waitFor();
          await row("Release plan").click();
          await p.locator(".message-body").getByText("The giraffe is in the garden.").waitFor();
          // Marked as read for its owner too, after a while.
          await p.locator('.mailbox[data-name="Other Users/ann/Team"][title*=", 1 unread,"]')
            .waitFor();
          for (const name of ["Archive", "Junk", "Snooze"]) {
            assert.equal(await tool(name).count(), 0, name);
          }
          assert.equal(await tool("Move").isEnabled(), true);
          await seen(p, "read");
        });

        await t.step("what comes is shown at once, and what is found there", async () => {
          await w.ann.import(mail("Lunch", "At noon."), ids.team);
          await row("Lunch").waitFor();
          const search = p.getByRole("combobox", { name: "Search messages" });
          await search.fill("giraffe");
          await search.press("Enter");
          await row("Lunch").waitFor({ state: "detached" });
          await row("Who brings cake").waitFor();
          await search.fill("");
          await search.press("Enter");
          await row("Lunch").waitFor();
        });

        await t.step("messages are flagged, and moved to the own inbox", async () => {
          await row("Who brings cake").click();
          await tool("Flag").click();
          await tool("Unflag").waitFor();
          await tool("Move").click();
          await p.getByRole("menuitem", { name: "Team – Ann (ann)" }).waitFor();
          assert.equal(await p.getByRole("menuitem", { name: /News/ }).count(), 0);
          await seen(p, "move");
          await p.getByRole("menuitem", { name: "Inbox", exact: true }).click();
          await row("Who brings cake").waitFor({ state: "detached" });
          await p.locator('.mailbox[data-name="Inbox"]').click();
          await place("Inbox").waitFor();
          await row("Who brings cake").waitFor();
        });

        await t.step("what is not allowed can't be chosen", async () => {
          await box("News").click();
          await place("News").waitFor();
          await row("What is new").click();
          await p.locator(".message-body").getByText("Nothing so far.").waitFor();
          for (const name of ["Trash", "Move", "Unread", "Flag"]) {
            const button = tool(name).or(tool(name === "Unread" ? "Read" : name));
            assert.equal(await button.first().isDisabled(), true, name);
          }
          await seen(p, "read-only");
          // By its key it is refused in words.
          await p.keyboard.press("s");
          await p.getByText("News is shared with you, but you may not change flags in it")
            .waitFor();
        });

        await t.step("an answer goes out from the own address", async () => {
          await tool("Reply").click();
          const writing = p.getByRole("dialog", { name: "Write a message" });
          await writing.waitFor();
          const from = writing.getByLabel("From").locator("option:checked");
          assert.match(await from.textContent() ?? "", /bob@mox\.example/);
          await discardWriting(p);
        });

        await t.step("it is a page for a phone and the dark", async () => {
          const q = await open({ phone: true, dark: true });
          await q.getByRole("button", { name: "Mailboxes" }).click();
          await box("Team", q).waitFor();
          await seen(q, "phone");
          await box("Team", q).click();
          await row("Lunch", q).waitFor();
          await q.context().close();
        });

        await t.step("taken away, it goes from the page that shows it", async () => {
          await box("Team").click();
          await row("Lunch").waitFor();
          const { notUpdated } = await w.ann.call("Mailbox/set", {
            update: { [ids.team]: { "shareWith/bob": null } },
          });
          assert.deepEqual(notUpdated ?? null, null);
          await box("Team").waitFor({ state: "detached" });
          await row("Lunch").waitFor({ state: "detached" });
          await place("Inbox").waitFor();
          await box("News").waitFor();
        });
      } finally {
        await browser.close();
      }
    }, { jmap: "\t\tWebmailHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" }),
});
