/**
 * `deno task firefox`: the webmail in Debian's Firefox, from the login to an answer in rich text that is sent. Not
 * part of the suite, which has Chromium.
 *
 * @module
 */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { loggedIn } from "../../support/imap_client.ts";
import { startLocalserve } from "../../support/localserve.ts";
import { Firefox } from "./driver.ts";

const step = (text: string) => console.log(`ok  ${text}`);
const server = await startLocalserve();
try {
  const transport = nodemailer.createTransport({
    ...{ host: "127.0.0.1", port: server.smtp, secure: false, ignoreTLS: true },
  });
  const deliver = (subject: string, html?: string) =>
    transport.sendMail({
      ...{ from: "Ann Example <ann@example.org>", to: "mox@localhost", subject },
      ...{ text: "see the web version", html },
    });
  await deliver(
    "With HTML",
    "<p>Hello <b>Mox</b>, this says very much more than the text does.</p>",
  );
  await using f = await Firefox.start();
  await f.open(`http://localhost:${server.http}/webmail/`);
  await f.click(`document.querySelector("input[autocomplete=username]")`);
  await f.type("mox@localhost");
  await f.click(`document.querySelector("input[type=password]")`);
  await f.type("moxmoxmox\uE007");
  await f.until(`document.querySelectorAll("[role=option]").length === 1`);
  step("logged in, and the list is there");

  await deliver("Comes live");
  await f.until(`document.querySelectorAll("[role=option]").length === 2`);
  step("a message arrives by the event stream");

  const row = (text: string) =>
    `[...document.querySelectorAll("[role=option]")].find((e) => e.textContent.includes(${
      JSON.stringify(text)
    }))`;
  await f.click(row("With HTML"));
  await f.until(`document.querySelector(".message-view iframe")?.clientHeight > 10`);
  step("HTML is shown in its frame");

  const button = (text: string, within = "document") =>
    `[...${within}.querySelectorAll("button")].find((e) => e.textContent.trim() === ${
      JSON.stringify(text)
    })`;
  await f.click(button("Reply", `document.querySelector(".message-view")`));
  await f.until(`document.querySelector(".compose iframe")?.clientHeight > 10`);
  // It takes no keys before the editor has begun.
  await f.until(`!document.querySelector(".compose iframe").matches("[inert], [inert] *")`);
  // Headless Firefox has no window in front: keys may come before the frame has the focus.
  const noticed = `/Saving|Draft saved/.test(document.querySelector(".compose").textContent)`;
  for (let n = 0; n < 5; n++) {
    await f.click(`document.querySelector(".compose iframe")`);
    await f.type("Written in Firefox.");
    if (await f.soon(noticed, 5_000)) break;
  }
  await f.until(`document.querySelector(".compose")?.textContent.includes("Draft saved")`);
  step("an answer in rich text is a draft");

  await f.reload();
  await f.until(`document.querySelector('.mailbox[data-name="Drafts"]')`);
  await f.click(`document.querySelector('.mailbox[data-name="Drafts"]')`);
  // The Inbox has it too, in its thread.
  await f.until(`document.querySelectorAll("[role=option]").length === 1`);
  await f.click(row("Re: With HTML"));
  await f.click(button("Edit draft"));
  await f.until(`document.querySelector(".compose iframe")?.clientHeight > 10`);
  await f.until(`!document.querySelector(".compose iframe").matches("[inert], [inert] *")`);
  await f.click(button("Send", `document.querySelector(".compose")`));
  await f.until(`!document.querySelector(".compose")`);
  step("after a reload the draft is opened, and sent");

  const client = await loggedIn(server);
  const texts: string[] = [];
  await client.mailboxOpen("Sent");
  for await (const m of client.fetch("1:*", { source: true })) texts.push(m.source!.toString());
  await client.logout();
  assert.equal(texts.length, 1);
  assert.match(texts[0], /Written in Firefox\./);
  assert.match(texts[0], /Content-Type: multipart\/alternative/i);
  step("it is in Sent, as HTML and text");
  assert.equal(await f.value("document.documentElement.scrollWidth - innerWidth"), 0);
  transport.close();

  // A script of its own, which the page's policy allows by its hash.
  for (const name of ["Calendar", "Contacts", "Settings"]) {
    await f.click(button(name));
    await f.until(`document.querySelector("dialog[open]") !== null`);
    await f.click(button("Close", `document.querySelector("dialog[open]")`));
    await f.until(`document.querySelector("dialog[open]") === null`);
  }
  step("calendar, contacts and settings are loaded when they are opened");
} finally {
  await server.close();
}
