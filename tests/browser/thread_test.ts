/** Conversations, and what mail brings, as the page shows them. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();

Deno.test({
  name: "conversations and what mail brings in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({
        subject: "Trip",
        text: "Where shall we go?\n",
        messageId: "<t1@x.y>",
        date: new Date("2026-01-01T10:00:00Z"),
        seen: true,
      });
      await w.append({
        from: "Bob <bob@example.org>",
        subject: "Re: Trip",
        text: `To the lake.\n\n${"> Where shall we go?\n".repeat(6)}`,
        messageId: "<t2@x.y>",
        inReplyTo: "<t1@x.y>",
        date: new Date("2026-01-02T10:00:00Z"),
        seen: true,
      });
      await w.append({ subject: "Sea", text: "Where shall we go?\n", messageId: "<s1@x.y>" });
      await w.append({
        from: "Cleo <cleo@example.org>",
        subject: "Re: Sea",
        html: `<p>Or the sea?</p><blockquote type="cite"><p>${
          "To the lake, I said. ".repeat(12)
        }</p>
          <blockquote>${"Where shall we go? ".repeat(12)}</blockquote></blockquote><p>Best, C</p>`,
        messageId: "<s2@x.y>",
        inReplyTo: "<s1@x.y>",
      });
      await w.append({
        subject: "My card",
        text: "Here it is.\n",
        attachments: [{
          filename: "dora.vcf",
          contentType: "text/vcard; charset=utf-8",
          content: "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Dora Delta\r\nORG:Delta\\, Inc.;Boats\r\n" +
            "EMAIL;TYPE=work:dora@example.org\r\nTEL;TYPE=cell:+49 30 1234\r\n" +
            "URL:javascript:alert(1)\r\nURL:https://dora.example/\r\nEND:VCARD\r\n",
        }],
      });
      await w.append({
        subject: "Boat race",
        text: "You are invited.\n",
        headers: { "List-Unsubscribe": "<https://list.example/u>" },
        attachments: [{
          filename: "",
          contentType: "text/calendar; method=REQUEST; charset=utf-8",
          content:
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:e1\r\n" +
            "DTSTART:20300301T100000Z\r\nDTEND:20300301T110000Z\r\nSUMMARY:The boat race\r\n" +
            "LOCATION:At the bridge\r\nORGANIZER:mailto:ann@localhost\r\n" +
            "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:mox@localhost\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        }],
      });
      await w.append({
        subject: "Your bank",
        html: '<p>Log in: <a href="https://evil.test/x">www.bank.example</a></p>',
      });
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));

      await t.step("after the login the list has the focus", async () => {
        await option(p, "Trip").waitFor();
        assert.equal(
          await p.evaluate<string>("document.activeElement.getAttribute('aria-label')"),
          "Messages",
        );
      });

      await t.step("a thread is one column, own answers in it, quotes folded", async () => {
        await option(p, /Bob.*Re: Trip/).click();
        await p.locator(".message-body").getByText("To the lake.").waitFor();
        await p.locator(".message-body .folded").waitFor();
        await p.locator(".text-body").getByText("> Where").first().waitFor({ state: "hidden" });
        await p.keyboard.press("r");
        await p.getByLabel("Message text").waitFor();
        await p.keyboard.type("The lake it is.");
        await p.keyboard.press("Control+Enter");
        await p.getByText("Message sent.").waitFor();
        await option(p, /Ann.*Trip/).click();
        const after = p.locator(".conversation-line");
        await after.nth(1).waitFor();
        assert.deepEqual(
          (await after.locator(".conversation-who").allInnerTexts()).map((s) => s.trim()),
          ["Bob", "Mox"],
        );
        await after.nth(1).click();
        await p.locator(".conversation-message").getByText("The lake it is.").waitFor();
        assert.deepEqual(await violations(p), []);
      });

      await t.step("quotes in HTML are folded, and open by a click", async () => {
        await option(p, /Cleo.*Re: Sea/).click();
        const frame = p.frameLocator(".message-body iframe");
        await frame.getByText("Or the sea?").waitFor();
        await frame.getByText("Best, C").waitFor();
        await frame.getByText("To the lake, I said.").waitFor({ state: "hidden" });
        await frame.locator(".mail-quote summary").click();
        await frame.getByText("To the lake, I said.").waitFor();
        await frame.getByText("Where shall we go?").waitFor();
        assert.equal(await frame.locator("details").count(), 1);
      });

      await t.step("a contact is a card that one can write to", async () => {
        await option(p, "My card").click();
        const card = p.getByRole("region", { name: "Contact" });
        await card.getByText("Dora Delta").waitFor();
        await card.getByText("Delta, Inc., Boats").waitFor();
        assert.deepEqual(await card.getByRole("link").allInnerTexts(), [
          "+49 30 1234",
          "https://dora.example/",
          "Save as file",
        ]);
        assert.deepEqual(await violations(p), []);
        await card.getByRole("button", { name: "dora@example.org" }).click();
        const writing = p.getByRole("dialog", { name: "Write a message" });
        await writing.getByRole("listitem").filter({ hasText: "dora@example.org" }).waitFor();
        await writing.getByRole("button", { name: "Discard" }).click();
        await writing.waitFor({ state: "detached" });
      });

      await t.step("an invitation is a card with answers, a list has its way out", async () => {
        await option(p, "Boat race").click();
        const card = p.getByRole("region", { name: "Invitation" });
        await card.getByText("At the bridge").waitFor();
        await card.getByRole("button", { name: "Perhaps" }).click();
        await card.getByText("You: perhaps").waitFor();
        await p.getByRole("button", { name: "Unsubscribe" }).waitFor();
        assert.deepEqual(await violations(p), []);
        await p.locator('.mailbox[data-name="Sent"]').click();
        await option(p, /Tentative: The boat race/).waitFor();
        await p.locator('.mailbox[data-name="Inbox"]').click();
      });

      await t.step("a link that names another site says where it leads", async () => {
        await option(p, "Your bank").click();
        await p.frameLocator(".message-body iframe").getByText("leads to evil.test").waitFor();
      });

      await t.step("a mailbox is one stop of Tab, its menu opens by key", async () => {
        await p.keyboard.press("g");
        await p.keyboard.press("ArrowDown");
        assert.equal(
          await p.evaluate<string>("document.activeElement.dataset.name"),
          "Drafts",
        );
        await p.keyboard.press("ArrowRight");
        await p.getByRole("menuitem", { name: "Rename" }).waitFor();
        await p.keyboard.press("Escape");
      });
      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
