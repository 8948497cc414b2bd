/** "Why is this here?" in the webmail, of messages that a server has judged: one let in, one put into Junk. */
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { mail, startReceiver } from "../serve/receiver.ts";
import { SpecialUse } from "../../src/store/types.ts";
import { freePorts } from "../support/ports.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { browserFlags, newContext } from "./browser.ts";

Deno.test({ name: "why is this here, in Chromium", ignore: lacks("chromium") }, async () => {
  const [http] = await freePorts(1);
  const smtp = `\t\tWebmailHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${http}\n`;
  await using r = await startReceiver({ smtp });
  await r.account("ann", async (a) => {
    if (!a.mailboxByName("Junk")) await a.createMailbox("Junk", { specialUse: SpecialUse.Junk });
    await a.credentials.setPassword("ann-secret-1");
  });
  const good = await r.send({ text: mail({ subject: "Minutes" }), sign: "sender.example" });
  assert.equal(good.code, 250, good.lines.join());
  const bad = await r.send({
    text: `From: "PayPal service@paypal.com" <x@sender.example>
To: <ann@ours.example>
Subject: Your account
Message-ID: <bad@sender.example>
Content-Type: text/html

<p>See <a href="https://pills.example/x">https://www.paypal.com/</a></p>
`,
    sign: "sender.example",
  });
  assert.equal(bad.code, 250, bad.lines.join());

  const executablePath = findProgram("chromium");
  const browser = await chromium.launch({ executablePath, args: browserFlags });
  try {
    const page = await (await newContext(browser)).newPage();
    await page.goto(`http://127.0.0.1:${http}/webmail/`);
    await page.getByLabel("Email address").fill("ann@ours.example");
    await page.getByLabel("Password").fill("ann-secret-1");
    await page.getByRole("button", { name: "Log in" }).click();
    const why = page.locator(".why-here");
    const sentence = why.locator("details p").first();

    await page.getByRole("option", { name: "Minutes" }).first().click();
    await page.locator(".message-head h1", { hasText: "Minutes" }).waitFor();
    assert.equal(await sentence.isVisible(), false);
    await why.getByText("Why is this here?").click();
    await sentence.getByText("nothing spoke against it").waitFor();
    assert.equal(await why.getByRole("note").count(), 0);

    await page.locator('.mailbox[data-name="Junk"]').click();
    await page.getByRole("option", { name: "Your account" }).first().click();
    await page.locator(".message-head h1", { hasText: "Your account" }).waitFor();
    const care = why.getByRole("note");
    await care.getByText("Take care with this message:").waitFor();
    // The page says what was noticed, in the words of the server.
    assert.ok(await care.locator("li").count() >= 2);
    await care.getByText("paypal.com").first().waitFor();
    await why.getByText("Why is this here?").click();
    await why.getByText("teaches the filter").waitFor();
  } finally {
    await browser.close();
  }
});
