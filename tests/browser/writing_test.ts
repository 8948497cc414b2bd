/** Writing and receiving mail in a real browser, on a running localserve. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { discardWriting, withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();
const mailbox = (p: Page, name: string) => p.locator(`.mailbox[data-name="${name}"]`);
const writing = (p: Page) => p.getByRole("dialog", { name: "Write a message" });

Deno.test({
  name: "writing mail in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({
        from: "Ann Example <ann@example.org>",
        to: "mox@localhost, bob@example.org",
        subject: "Lunch?",
        text: "Half past twelve?\n",
      });
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      await option(p, "Lunch?").waitFor();

      await t.step("a message with an attachment is sent, and arrives live", async () => {
        await p.keyboard.press("c");
        await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
        await p.getByLabel("Subject").fill("Minutes");
        await p.getByLabel("Message text").fill("They are attached.\n");
        await p.getByRole("button", { name: "Send", exact: true }).click();
        await p.getByText("speaks of an attachment").waitFor();
        await p.locator("dialog").getByRole("button", { name: "Cancel" }).click();
        await p.locator("dialog").waitFor({ state: "detached" });
        await writing(p).locator('input[type="file"]').setInputFiles({
          name: "minutes.txt",
          mimeType: "text/plain",
          buffer: (await import("node:buffer")).Buffer.from("1. Opening\n"),
        });
        await writing(p).getByText("minutes.txt").waitFor();
        await writing(p).locator("progress").waitFor({ state: "detached" });
        await p.getByRole("button", { name: "Send", exact: true }).click();
        await p.getByText("Message sent.").waitFor();
        await option(p, "Minutes").click();
        await p.locator(".text-body").getByText("They are attached.").waitFor();
        await p.getByRole("button", { name: /minutes\.txt/ }).waitFor();
        await mailbox(p, "Sent").click();
        await option(p, /To: bob.* Minutes/).waitFor();
        await mailbox(p, "Inbox").click();
      });

      await t.step("an address one wrote to is offered", async () => {
        await p.keyboard.press("c");
        await p.getByRole("combobox", { name: "To", exact: true }).pressSequentially("bo");
        await writing(p).getByRole("option", { name: /bob@localhost/ }).waitFor();
        await p.keyboard.press("Enter");
        await writing(p).getByRole("listitem").filter({ hasText: "bob@localhost" }).waitFor();
        await p.getByRole("button", { name: "Discard" }).click();
        await writing(p).waitFor({ state: "detached" });
      });

      await t.step(
        "a pasted list becomes recipients, and the key that sends works from there",
        async () => {
          await p.keyboard.press("c");
          await p.getByLabel("Subject").fill("To a list");
          const line = p.getByRole("combobox", { name: "To", exact: true });
          await line.focus();
          await p.evaluate(`{
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", ${
            JSON.stringify(
              "bob@localhost\nRoe, Ann <ann@localhost>\nmailto:carl@localhost?subject=x\n",
            )
          });
          document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }),
          );
        }`);
          assert.deepEqual(await writing(p).getByRole("listitem").allInnerTexts(), [
            "bob@localhost\n×",
            '"Roe, Ann" <ann@localhost>\n×',
            "carl@localhost\n×",
          ]);
          await p.getByLabel("Message text").fill("Hello all.\n");
          await line.focus();
          await p.keyboard.type("dora@localhost");
          await p.keyboard.press("Control+Enter");
          await writing(p).waitFor({ state: "detached" });
          await mailbox(p, "Sent").click();
          await option(p, /To a list/).click();
          await p.locator(".message-fields").getByText("dora@localhost").waitFor();
          await mailbox(p, "Inbox").click();
        },
      );

      await t.step("a reply to all quotes, and goes to everybody else", async () => {
        await option(p, "Lunch?").click();
        await p.locator(".text-body").getByText("Half past").waitFor();
        await p.keyboard.press("R");
        const text = p.getByLabel("Message text");
        await text.waitFor();
        assert.match(await text.inputValue(), /^On .*Ann Example wrote:\n> Half past twelve\?\n/);
        assert.equal(await p.getByLabel("Subject").inputValue(), "Re: Lunch?");
        assert.deepEqual(await writing(p).getByRole("listitem").allInnerTexts(), [
          "Ann Example <ann@example.org>\n×",
          "bob@example.org\n×",
        ]);
        await p.keyboard.type("Gladly.");
        await p.keyboard.press("Control+Enter");
        await p.getByText("Message sent.").last().waitFor();
        await writing(p).waitFor({ state: "detached" });
        await p.locator(".message-fields .label", { hasText: "answered" }).waitFor();
      });

      await t.step(
        "a draft is saved while one types, and written on in another window",
        async () => {
          await p.keyboard.press("c");
          await p.getByLabel("Subject").fill("Half a thought");
          await p.getByLabel("Message text").fill("It began");
          await writing(p).getByText("Draft saved").waitFor();
          const other = await c.newPage();
          await other.goto(w.url);
          await mailbox(other, "Drafts").click();
          await option(other, "Half a thought").click();
          await other.getByRole("button", { name: "Edit draft" }).click();
          const text = other.getByLabel("Message text");
          await text.waitFor();
          assert.equal((await text.inputValue()).trimEnd(), "It began");
          await discardWriting(other);
          await option(other, "Half a thought").waitFor({ state: "detached" });
          await other.close();
          // It is the same message: thrown away there, it is here, too.
          await writing(p).waitFor({ state: "detached" });
        },
      );

      await t.step("a message is sent later, with TLS required, as chosen", async () => {
        await p.keyboard.press("c");
        await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
        await p.getByLabel("Subject").fill("Tomorrow");
        await p.getByRole("button", { name: "Options" }).click();
        const at = new Date(Date.now() + 86_400_000).toISOString().slice(0, 16);
        await p.getByLabel("Send at").fill(at);
        await p.getByLabel("Encryption").selectOption("yes");
        await p.getByRole("button", { name: "Set", exact: true }).click();
        await writing(p).getByText("Verified TLS required.").waitFor();
        await p.getByRole("button", { name: "Send later", exact: true }).click();
        await p.getByText(/Message will be sent/).waitFor();
      });

      await t.step("what is wrong with the recipients is said", async () => {
        await p.keyboard.press("c");
        await p.getByRole("button", { name: "Send", exact: true }).click();
        await p.getByText("Give at least one recipient.").waitFor();
        await p.getByRole("combobox", { name: "To", exact: true }).fill("nobody,");
        await p.getByRole("button", { name: "Send", exact: true }).click();
        await p.getByText("nobody: not an address.").waitFor();
        await p.getByRole("button", { name: "Discard" }).click();
      });

      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
