/** The account page in Chromium. */
import assert from "node:assert/strict";
import { decrypt, generateKey, readMessage, readPrivateKey } from "openpgp";
import type { Page } from "playwright-core";
import { Buffer } from "node:buffer";
import { openArchive } from "../../src/store/import/archive/open.ts";
import { writeZip } from "../../src/web/export/zip.ts";
import { totpCode, totpStep } from "../../src/store/logins/totp.ts";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { endDialog, withWorld, type World } from "./browser.ts";

/** Goes to a section, and waits until it is the one that is shown. */
async function go(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { name, level: 1, exact: true }).waitFor();
}

const origin = (w: World) => new URL(w.url).origin;
const shots = Deno.env.get("MOX_TEST_SCREENSHOTS");
const shot = async (page: Page, name: string) => {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png` });
};

Deno.test({ name: "account page", ignore: lacks("chromium") }, async (t) => {
  await withWorld(async (w) => {
    const c = await w.context();
    const page = await c.newPage();
    const step = async (name: string, fn: () => Promise<void>) => {
      await t.step(name, fn);
    };
    await step("a wrong password is refused, the right one lets in", async () => {
      await page.goto(`${origin(w)}/`);
      await page.getByLabel("Email address").fill("mox@localhost");
      await page.getByLabel("Password").fill("wrong password");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByText("wrong name or password").waitFor();
      await page.getByLabel("Password").fill("moxmoxmox");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("heading", { name: "Who you are" }).waitFor();
      await shot(page, "account");
      assert.deepEqual(await violations(page), []);
    });
    await step("the full name is changed", async () => {
      await page.getByRole("button", { name: "Change name" }).click();
      await page.getByRole("dialog").getByLabel("Full name").fill("Ann Example");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("definition").filter({ hasText: "Ann Example" }).waitFor();
    });
    await step("webmail and account page lead to each other", async () => {
      // Asked for before the server has said anything, settings open when it has.
      let letGo = () => {};
      const held = new Promise<void>((done) => letGo = done);
      await c.route(/webmail\/api\/EventsJoin/, async (r) => {
        await held;
        await r.continue();
      });
      const mail = await w.login(c);
      await mail.getByRole("button", { name: "Settings" }).click();
      assert.equal(await mail.getByRole("dialog").count(), 0);
      letGo();
      await mail.getByRole("link", { name: "Account page" }).waitFor();
      await c.unrouteAll();
      const opened = mail.waitForEvent("popup");
      await mail.getByRole("link", { name: "Account page" }).click();
      const account = await opened;
      await account.getByRole("heading", { name: "Who you are" }).waitFor();
      await shot(account, "account-links");
      await account.getByRole("link", { name: "Webmail" }).click();
      await account.getByRole("listbox").first().waitFor();
      assert.equal(new URL(account.url()).pathname, "/webmail/");
      await account.close();
      await shot(mail, "webmail-settings");
      await mail.close();
    });
    await step("a reply while away is turned on and off, and messages are forwarded", async () => {
      await go(page, "Away");
      await page.getByRole("button", { name: "Turn on" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Text").fill("I am away.\nUntil Monday.");
      await dialog.getByLabel("Until").fill("2001-01-01T08:00");
      await dialog.getByRole("button", { name: "Turn on" }).click();
      await page.getByText("on, but not at this time").waitFor();
      await page.getByRole("button", { name: "Change reply" }).click();
      await dialog.getByLabel("Until").fill("");
      await shot(page, "vacation");
      await dialog.getByRole("button", { name: "Turn on" }).click();
      await page.getByText("turned off").waitFor();
      await page.getByRole("button", { name: "Set addresses" }).click();
      await dialog.getByLabel("Addresses").fill("mox@localhost");
      await dialog.getByRole("button", { name: "Forward" }).click();
      await page.getByText(/is your own address/).waitFor();
      await dialog.getByLabel("Addresses").fill("ann@home.example\nann@work.example");
      await dialog.getByRole("button", { name: "Forward" }).click();
      await page.getByText("ann@home.example, ann@work.example").waitFor();
      await shot(page, "away");
      assert.deepEqual(await violations(page), []);
      await page.getByRole("button", { name: "Stop forwarding" }).click();
      await dialog.getByRole("button", { name: "Stop" }).click();
      await page.getByText("nobody").waitFor();
      await page.getByRole("button", { name: "Turn off" }).click();
      await page.getByRole("button", { name: "Turn on" }).waitFor();
    });
    await step("a rule is made, tried, and then sorts a message", async () => {
      await go(page, "Addresses");
      await page.getByRole("row", { name: /^mox@localhost/ }).getByRole("button", { name: "Rules" })
        .click();
      await page.getByRole("button", { name: "Add rule" }).click();
      await page.getByLabel("Sender", { exact: true }).fill("^news@");
      await page.getByLabel("Mailbox", { exact: true }).selectOption("Archive");
      await page.getByRole("button", { name: "Keep" }).click();
      await page.getByText("Try the rules").click();
      await page.getByLabel("Message to try").fill("From: news@example.org\n\nx");
      await page.getByRole("button", { name: "Try", exact: true }).click();
      await page.getByText("Rule 1 fits: it goes to Archive.").waitFor();
      await shot(page, "rules");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("row", { name: /^mox@localhost Inbox – 1/ }).waitFor();
    });
    await step("a wrong expression is told with its place", async () => {
      await page.getByRole("row", { name: /^mox@localhost/ }).getByRole("button", { name: "Rules" })
        .click();
      await page.getByRole("button", { name: "Edit" }).last().click();
      await page.getByLabel("Sender", { exact: true }).fill("(");
      await page.getByRole("button", { name: "Keep" }).click();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/rule 1, sender/).waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
    });
    await step("a second factor is set up with its code, and an app password is made", async () => {
      await go(page, "Logins");
      await page.getByRole("button", { name: "Set up" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("img", { name: "QR code of the key below" }).waitFor();
      await shot(page, "second-factor");
      const key = (await dialog.locator("code.key").textContent())!.replace(/ /g, "");
      await dialog.getByLabel("Code that the app shows").fill(
        totpCode(key, totpStep(Date.now())),
      );
      await dialog.getByLabel("Current password").fill("moxmoxmox");
      await dialog.getByRole("button", { name: "Turn on" }).click();
      const codes = page.getByRole("dialog", { name: "Recovery codes" });
      await codes.locator("li").first().waitFor();
      assert.equal(await codes.locator("li").count(), 10);
      const recovery = await codes.locator("li").allTextContents();
      await shot(page, "recovery-codes");
      await codes.getByRole("button", { name: "Close" }).click();
      await page.getByText("Recovery codes left").waitFor();
      await page.getByRole("button", { name: "Add app password" }).click();
      await dialog.getByLabel("Program").fill("phone");
      await dialog.getByLabel("Current password").fill("moxmoxmox");
      await dialog.getByLabel(/^Code/).fill(recovery[0]);
      await dialog.getByRole("button", { name: "Make" }).click();
      await page.getByRole("dialog", { name: "Password of phone" }).waitFor();
      await endDialog(page);
      await page.getByRole("cell", { name: "phone", exact: true }).waitFor();
      await page.getByRole("cell", { name: "wrong name, password or code" }).first().waitFor();
      await shot(page, "logins");
      assert.deepEqual(await violations(page), []);

      // Another window is asked for the code.
      const other = await w.context();
      const second = await other.newPage();
      await second.goto(`${origin(w)}/`);
      await second.getByLabel("Email address").fill("mox@localhost");
      await second.getByLabel("Password").fill("moxmoxmox");
      await second.getByRole("button", { name: "Log in" }).click();
      // Each code works once, and those before and after it do too.
      await second.getByLabel("Code of your second factor").fill(
        totpCode(key, totpStep(Date.now()) + 1),
      );
      await shot(second, "login-code");
      await second.getByRole("button", { name: "Log in" }).click();
      await second.getByRole("heading", { name: "Who you are" }).waitFor();
      await other.close();
      await page.getByRole("button", { name: "Turn off" }).click();
      await dialog.getByLabel("Current password").fill("moxmoxmox");
      await dialog.getByLabel(/^Code/).fill(recovery[1]);
      await dialog.getByRole("button", { name: "Turn off" }).click();
      await page.getByRole("button", { name: "Set up" }).waitFor();
    });
    await step("a passkey is added, and logs in to both pages without a password", async () => {
      const cdp = await c.newCDPSession(page);
      await cdp.send("WebAuthn.enable");
      await cdp.send("WebAuthn.addVirtualAuthenticator", {
        options: {
          protocol: "ctap2",
          transport: "internal",
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      });
      await go(page, "Logins");
      await page.getByRole("button", { name: "Add passkey" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name").fill("test device");
      await dialog.getByLabel("Current password").fill("moxmoxmox");
      await dialog.getByRole("button", { name: "Add" }).click();
      await page.getByRole("cell", { name: "test device" }).waitFor();
      assert.deepEqual(await violations(page), []);
      await page.getByRole("button", { name: "Log out" }).click();
      await page.getByRole("button", { name: "Use a passkey" }).click();
      await page.getByRole("cell", { name: "test device" }).waitFor();
      await page.goto(w.url);
      await page.getByRole("button", { name: "Use a passkey" }).click();
      await page.getByRole("button", { name: "Compose" }).first().waitFor();
      await page.goto(`${origin(w)}/#sessions`);
      await page.getByRole("row", { name: /^test device/ }).getByRole("button", { name: "Remove" })
        .click();
      await dialog.getByLabel("Current password").fill("moxmoxmox");
      await dialog.getByRole("button", { name: "Remove" }).click();
      await page.getByRole("cell", { name: "test device" }).waitFor({ state: "detached" });
      // What was removed lets nobody in.
      await page.getByRole("button", { name: "Log out" }).click();
      await page.getByRole("button", { name: "Use a passkey" }).click();
      await page.getByText("this passkey is not known here").waitFor();
      await page.getByLabel("Email address").fill("mox@localhost");
      await page.getByLabel("Password").fill("moxmoxmox");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("heading", { name: "Logins" }).waitFor();
    });
    await step(
      "an archive is imported, a damaged one refused, and mail is exported",
      async () => {
        const pieces: Uint8Array[] = [];
        const mbox = (n: number) =>
          Array.from(
            { length: n },
            (_, i) => `From a@b.example Tue Mar  3 10:20:30 2026\nSubject: old ${i}\n\nbody\n\n`,
          ).join("");
        const files = [["Travel.mbox", mbox(30)], ["Work/Plans.mbox", mbox(20)]].map((
          [name, text],
        ) => ({
          name,
          pieces: [new TextEncoder().encode(text)],
        }));
        for await (const p of writeZip(files)) {
          pieces.push(p);
        }
        await go(page, "Import and export");
        await page.getByLabel("Archive or mailbox file").setInputFiles({
          name: "old.zip",
          mimeType: "application/zip",
          buffer: Buffer.concat(pieces),
        });
        await page.getByLabel("Put all below this mailbox").fill("Old");
        await page.getByRole("button", { name: "Import", exact: true }).click();
        await page.getByRole("heading", { name: "Imported" }).waitFor();
        await page.getByRole("cell", { name: "Old/Work/Plans" }).waitFor();
        // While one runs, a page that is loaded anew finds it.
        await page.getByLabel("Archive or mailbox file").setInputFiles({
          name: "Large.mbox",
          mimeType: "application/mbox",
          buffer: Buffer.from(mbox(60_000)),
        });
        await page.getByLabel("Put all below this mailbox").fill("Aborted");
        await page.getByRole("button", { name: "Import", exact: true }).click();
        await page.getByRole("cell", { name: "Aborted/Large" }).waitFor();
        await page.reload();
        await page.getByRole("cell", { name: "Aborted/Large" }).waitFor();
        await shot(page, "import-running");
        await page.getByRole("button", { name: "Abort" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Abort" }).click();
        await page.getByRole("heading", { name: "The import was aborted, nothing was changed" })
          .waitFor();
        await shot(page, "import");
        assert.deepEqual(await violations(page), []);
        await page.getByLabel("Archive or mailbox file").setInputFiles({
          name: "bad.zip",
          mimeType: "application/zip",
          buffer: Buffer.from("PK nothing"),
        });
        await page.getByRole("button", { name: "Import", exact: true }).click();
        await page.getByText("the zip archive is damaged: its end is missing").waitFor();
        await page.getByLabel("Format").selectOption("maildir");
        await page.getByLabel("Archive", { exact: true }).selectOption("tgz");
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name: "Export", exact: true }).click(),
        ]);
        assert.match(download.suggestedFilename(), /-maildir\.tgz$/);
        const path = await download.path();
        const names: string[] = [];
        for await (const e of (await openArchive(path, "x")).entries()) {
          names.push(e.name);
          for await (const _ of e.pieces()) {
            // Read to its end.
          }
        }
        assert.equal(names.filter((n) => n.startsWith("Old/Travel/cur/")).length, 30);
      },
    );
    await step("contacts and calendars are brought as an archive, and taken away", async () => {
      const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VEVENT", "UID:h"];
      lines.push("DTSTAMP:20270101T000000Z", "DTSTART;VALUE=DATE:20270101", "SUMMARY:New year");
      const calendar = [...lines, "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");
      const pieces: Uint8Array[] = [];
      const content = new TextEncoder().encode(calendar);
      for await (const p of writeZip([{ name: "Holidays.ics", pieces: [content] }])) {
        pieces.push(p);
      }
      await page.getByLabel("Archive of contacts and calendars (zip)").setInputFiles({
        name: "mine.zip",
        mimeType: "application/zip",
        buffer: Buffer.concat(pieces),
      });
      await page.getByRole("button", { name: "Import contacts and calendars" }).click();
      await page.getByRole("cell", { name: "Holidays" }).waitFor();
      await shot(page, "import-collections");
      assert.deepEqual(await violations(page), []);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Export contacts and calendars" }).click(),
      ]);
      const names: string[] = [];
      for await (const e of (await openArchive(await download.path(), "x")).entries()) {
        names.push(e.name);
        for await (const _ of e.pieces()) {
          // Read to its end.
        }
      }
      assert.ok(names.includes("calendars/Holidays.ics"), names.join());
    });
    await step("what arrives is encrypted to a key, and no more", async () => {
      const dialog = page.getByRole("dialog");
      await go(page, "Encryption");
      await page.getByText("stored as it comes", { exact: true }).waitFor();
      assert.deepEqual(await violations(page), []);
      const { publicKey, privateKey } = await generateKey({
        userIDs: [{ name: "Ann Example", email: "mox@localhost" }],
      });
      await page.getByRole("button", { name: "Set a key" }).click();
      for (const [key, said] of [["no key", "neither an OpenPGP"], [privateKey, "a secret key"]]) {
        await dialog.getByLabel("Public key or certificate").fill(key);
        await dialog.getByRole("button", { name: "Encrypt", exact: true }).click();
        await dialog.getByRole("alert").getByText(said).waitFor();
      }
      assert.deepEqual(await violations(page), []);
      await dialog.getByLabel("Public key or certificate").fill(publicKey);
      await dialog.getByRole("button", { name: "Encrypt", exact: true }).click();
      await page.getByText("encrypted with OpenPGP", { exact: true }).waitFor();
      await page.getByText("Ann Example <mox@localhost>", { exact: true }).waitFor();
      await dialog.waitFor({ state: "detached" });
      assert.deepEqual(await violations(page), []);
      await w.deliver({ subject: "for one reader", text: "the secret text" });
      const stored = await w.source("for one reader");
      assert.ok(!stored.includes("the secret text"), stored);
      const armored = /-----BEGIN PGP MESSAGE-----[^]*-----END PGP MESSAGE-----/.exec(stored);
      const opened = await decrypt({
        message: await readMessage({ armoredMessage: armored![0] }),
        decryptionKeys: await readPrivateKey({ armoredKey: privateKey }),
      });
      assert.match(String(opened.data), /the secret text/);
      await page.getByRole("button", { name: "Stop encrypting" }).click();
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Stop encrypting" }).click();
      await dialog.getByRole("button", { name: "Stop encrypting" }).click();
      await page.getByText("stored as it comes", { exact: true }).waitFor();
      await w.deliver({ subject: "for everybody", text: "an open text" });
      assert.match(await w.source("for everybody"), /an open text/);
    });
    await step("an address is suppressed and let go", async () => {
      await go(page, "Suppressions");
      await page.getByRole("button", { name: "Add address" }).click();
      await page.getByRole("textbox", { name: "Address" }).fill("gone@example.org");
      await page.getByRole("textbox", { name: "Reason" }).fill("moved");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByRole("cell", { name: "gone@example.org" }).waitFor();
      await page.getByRole("button", { name: "Remove", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
      await page.getByText("No address is suppressed.").waitFor();
    });
    await step("the password is changed, which ends the login of another window", async () => {
      const other = await w.context();
      const second = await w.login(other);
      await go(page, "Logins");
      await page.getByRole("row", { name: /^webmail/ }).first().waitFor();
      await go(page, "Account");
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByLabel("Current password").fill("moxmoxmox");
      await page.getByLabel("New password", { exact: true }).fill("new password 1");
      await page.getByLabel("New password again").fill("new password 1");
      await page.getByRole("button", { name: "Change", exact: true }).click();
      await page.getByText("Password changed.").waitFor();
      await second.getByLabel("Password").waitFor();
      await other.close();
    });
    await step("the junk filter's figures are there", async () => {
      await go(page, "Junk");
      await page.getByRole("heading", { name: "What it has learned" }).waitFor();
      await page.getByRole("heading", { name: "Over time" }).waitFor();
      await page.getByLabel("Period").selectOption({ label: "the last 7 days" });
      await page.getByText(/^No messages came|^good$/).first().waitFor();
    });
    await step("every section is accessible", async () => {
      for (
        const name of ["Addresses", "Junk", "Encryption", "Logins", "Suppressions", "Mail programs"]
      ) {
        await go(page, name);
        await shot(page, `account-${name}`);
        assert.deepEqual(await violations(page), [], name);
      }
    });
    await c.close();
  });
});
