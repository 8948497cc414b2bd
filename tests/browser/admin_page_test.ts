/** The admin page in Chromium, on a server with something in everything: mouse, keys, light, dark, and a phone. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { findProgram, lacks } from "../support/programs.ts";
import {
  adminPassword,
  type AdminSite,
  putOldMail,
  userPassword,
  withAdminSite,
} from "../serve/admin_site.ts";
import { violations } from "./accessibility.ts";
import { browserFlags, newContext } from "./browser.ts";

/** Addresses of the sections with their titles. */
const sections = {
  overview: "Overview",
  domains: "Domains",
  accounts: "Accounts",
  moving: "Move in",
  queue: "Queue",
  retired: "Sent and failed",
  suppressions: "Suppressed",
  hooks: "Webhooks",
  dmarc: "DMARC",
  tls: "TLS",
  logins: "Logins",
  tokens: "API tokens",
  connections: "Connections",
  certificates: "Certificates",
  scanners: "Scanners",
  blocklists: "Block lists",
  storage: "Storage",
  nodes: "Nodes",
  web: "Web server",
  log: "Log levels",
  config: "Configuration",
};

async function login(page: Page, s: AdminSite): Promise<void> {
  await page.goto(`${s.origin}/admin/`);
  await page.getByLabel("Password").fill(adminPassword);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}

/** Goes to a section by its link, and waits until it is shown: the one before has buttons of the same names. */
async function goTo(page: Page, id: keyof typeof sections): Promise<void> {
  await page.getByRole("link", { name: sections[id], exact: true }).first().click();
  await page.locator(`main[data-section="${id}"]`).waitFor();
}

const wide = (page: Page) =>
  page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );

Deno.test({ name: "admin page", ignore: lacks("chromium") }, async (t) => {
  const browser = await chromium.launch({
    executablePath: findProgram("chromium"),
    args: browserFlags,
  });
  try {
    await withAdminSite(async (s) => {
      const c = await newContext(browser);
      const page = await c.newPage();
      const dialog = page.getByRole("dialog");
      const problems: string[] = [];
      page.on("pageerror", (e) => problems.push(e.message));
      page.on("console", (m) => m.type() === "error" && problems.push(m.text()));

      await t.step("a wrong password is told, the right one lets in", async () => {
        await page.goto(`${s.origin}/admin/`);
        await page.getByLabel("Password").fill("not the password");
        await page.getByRole("button", { name: "Log in" }).click();
        await page.getByRole("alert").getByText("wrong name or password").waitFor();
        problems.length = 0;
        await login(page, s);
        await page.getByText("is on the block list bl.example.net").waitFor();
      });

      await t.step(
        "a domain and an account are added; the password is shown and works",
        async () => {
          await goTo(page, "domains");
          await page.getByRole("button", { name: "Add domain" }).click();
          await dialog.getByLabel("Domain", { exact: true }).fill("not a domain");
          await dialog.getByRole("button", { name: "Add", exact: true }).click();
          await dialog.getByRole("alert").getByText(/is not a domain/).waitFor();
          await dialog.getByLabel("Domain", { exact: true }).fill("new.example");
          await dialog.getByRole("button", { name: "Add", exact: true }).click();
          await page.getByRole("cell", { name: "new.example" }).waitFor();
          await goTo(page, "accounts");
          await page.getByRole("button", { name: "Add account" }).click();
          await dialog.getByLabel("Account name").fill("bob");
          await dialog.getByLabel("First address").fill("bob@new.example");
          await dialog.getByRole("button", { name: "Add", exact: true }).click();
          const password = (await dialog.locator("code").innerText()).trim();
          await page.keyboard.press("Escape");
          const other = await newContext(browser);
          const bob = await other.newPage();
          await bob.goto(`${s.origin}/`);
          await bob.getByLabel("Email address").fill("bob@new.example");
          await bob.getByLabel("Password").fill(password);
          await bob.getByRole("button", { name: "Log in" }).click();
          await bob.getByRole("definition").filter({ hasText: "bob@new.example" }).waitFor();
          await other.close();
        },
      );

      await t.step(
        "an account's limits are set, and it is removed after its name was typed",
        async () => {
          await page.getByRole("cell", { name: "bob", exact: true }).getByRole("link").click();
          await page.getByRole("heading", { name: "bob", level: 1 }).waitFor();
          await page.getByRole("button", { name: "Settings" }).click();
          await dialog.getByLabel("Quota in MB").fill("50");
          await dialog.getByRole("button", { name: "Save" }).click();
          await page.getByText("of 50 MB").waitFor();
          await page.getByRole("button", { name: "Remove", exact: true }).click();
          await dialog.getByRole("textbox").fill("ben");
          await dialog.getByRole("button", { name: "Remove" }).click();
          await page.getByText("That is not the account's name").waitFor();
          await page.getByRole("button", { name: "Remove", exact: true }).click();
          await dialog.getByRole("textbox").fill("bob");
          await dialog.getByRole("button", { name: "Remove" }).click();
          await page.getByRole("heading", { name: "Accounts", level: 1 }).waitFor();
          assert.equal(s.config.account("bob"), undefined);
        },
      );

      await t.step("keeping mail: what would go is shown before rules hold", async () => {
        await putOldMail(s, "ben", "Inbox", 100, 3);
        await page.goto(`${s.origin}/admin/#accounts/ben`);
        await page.getByRole("heading", { name: "ben", level: 1 }).waitFor();
        await page.getByText("No rule: messages stay until the user removes them.").waitFor();
        const look = dialog.getByRole("button", { name: "Look what would go" });
        await page.getByRole("button", { name: "Change rules" }).click();
        await dialog.getByLabel("Rules, one on a line").fill("Inbox 30");
        await look.click();
        await dialog.getByRole("alert").getByText('"Inbox 30" is not a mailbox').waitFor();
        await dialog.getByLabel("Rules, one on a line").fill("\\Bin: 30");
        await look.click();
        await dialog.getByRole("alert").getByText("is not one of").waitFor();
        assert.deepEqual(await violations(page), []);
        await dialog.getByLabel("Rules, one on a line").fill("Inbox: 30\n\\Trash: 200");
        await look.click();
        await dialog.getByText(/^3 messages with .* would go, for good\.$/).waitFor();
        await dialog.getByRole("row", { name: /^Inbox 30 3 / }).waitFor();
        assert.deepEqual(await violations(page), []);
        await dialog.getByRole("button", { name: "Cancel" }).click();
        await dialog.waitFor({ state: "detached" });
        assert.equal(s.config.account("ben")!.Retention.size, 0);
        await page.getByRole("button", { name: "Change rules" }).click();
        await dialog.getByLabel("Rules, one on a line").fill("Inbox: 300");
        await look.click();
        await dialog.getByText("Nothing is old enough to go now.").waitFor();
        await dialog.getByRole("button", { name: "Switch on" }).click();
        await page.getByRole("row", { name: "Inbox 300 days of the account" }).waitFor();
        assert.deepEqual([...s.config.account("ben")!.Retention], [["Inbox", 300]]);
        await page.getByRole("button", { name: "What would go now" }).click();
        await dialog.getByRole("row", { name: /^Inbox 300 0 / }).waitFor();
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Change rules" }).click();
        await dialog.getByLabel("Legal hold").check();
        await look.click();
        await dialog.getByText("Nothing: legal hold is on.").waitFor();
        await dialog.getByRole("button", { name: "Switch on" }).click();
        await page.getByText(/^Legal hold: nothing is removed/).waitFor();
        assert.equal(s.config.account("ben")!.LegalHold, true);
        assert.deepEqual(await violations(page), []);
      });

      await t.step("an hour's limit; a domain's journal and months", async () => {
        await page.getByRole("button", { name: "Settings", exact: true }).click();
        await dialog.getByLabel("Of them, in one hour").fill("20");
        await dialog.getByRole("button", { name: "Save" }).click();
        await page.getByRole("definition").filter({ hasText: /^20$/ }).waitFor();
        assert.equal(s.config.account("ben")!.MaxOutgoingMessagesPerHour, 20);
        await page.goto(`${s.origin}/admin/#domains/concert.example`);
        await page.getByRole("heading", { name: "concert.example", level: 1 }).waitFor();
        await page.getByRole("button", { name: "Change journal" }).click();
        await dialog.getByLabel("Copies go to").fill("archive@concert.example");
        await dialog.getByLabel("Key that copies are encrypted to").fill("no key");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.getByRole("alert").getByText("neither an OpenPGP public key").waitFor();
        assert.deepEqual(await violations(page), []);
        await dialog.getByLabel("Key that copies are encrypted to").fill("");
        await dialog.getByRole("button", { name: "Save" }).click();
        await page.getByText("all mail is copied to archive@concert.example").waitFor();
        assert.equal(s.config.domain("concert.example")!.config.Journal?.Mailbox, "Journal");
        await page.getByRole("button", { name: "Report each month" }).click();
        await page.getByText("goes to the postmaster").waitFor();
        assert.equal(s.config.domain("concert.example")!.config.MonthlyReport, true);
        assert.deepEqual(await violations(page), []);
        await page.getByRole("button", { name: "End journal" }).click();
        await dialog.getByRole("button", { name: "End", exact: true }).click();
        await page.getByRole("button", { name: "End journal" }).waitFor({ state: "detached" });
        assert.ok(!s.config.domain("concert.example")!.config.Journal);
      });

      await t.step(
        "moving in: a list is tried and taken over, mail comes from a Maildir",
        async () => {
          await goTo(page, "moving");
          const users = page.locator("section", {
            has: page.getByRole("heading", { name: "Users", exact: true }),
          });
          await users.getByLabel("List of users").fill(
            "mia@concert.example:{PLAIN}a fine password\nnobody\n",
          );
          await users.getByRole("button", { name: "Look what it would do" }).click();
          await users.getByRole("heading", { name: /would be made; 1 line with a problem$/ })
            .waitFor();
          assert.equal(s.config.account("mia"), undefined);
          assert.deepEqual(await violations(page), []);
          await users.getByRole("button", { name: "Take over" }).click();
          await users.getByRole("heading", { name: /made; .*1 password set$/ }).waitFor();
          assert.ok(s.config.account("mia"));
          const aliases = page.locator("section", {
            has: page.getByRole("heading", { name: "Aliases", exact: true }),
          });
          await aliases.getByLabel("Table of aliases").fill("all mia@concert.example, ben");
          await aliases.getByLabel("Domain of names without one").fill("concert.example");
          await aliases.getByRole("button", { name: "Take over" }).click();
          await aliases.getByRole("heading", { name: "1 change made" }).waitFor();
          const folder = join(s.dir, "maildirs");
          await Deno.mkdir(join(folder, "mia", "cur"), { recursive: true });
          await Deno.writeTextFile(
            join(folder, "mia", "cur", "1.a:2,S"),
            "Subject: old\r\n\r\nhi\r\n",
          );
          await page.getByRole("button", { name: "Bring mail from Maildirs" }).click();
          await dialog.getByLabel("Path").fill(folder);
          await dialog.getByRole("button", { name: "Begin" }).click();
          await dialog.getByRole("alert").getByText("the path needs %u").waitFor();
          await dialog.getByLabel("Path").fill(join(folder, "%n"));
          await dialog.getByRole("button", { name: "Begin" }).click();
          await page.getByRole("heading", { name: /^Done, from / }).waitFor();
          await page.getByRole("row", { name: /^mia done 1 0 0/ }).waitFor();
          assert.deepEqual(await violations(page), []);
        },
      );

      await t.step(
        "moving in: Sieve scripts are tried and taken over, mail comes from Cyrus",
        async () => {
          const homes = join(s.dir, "homes");
          await Deno.mkdir(join(homes, "mia", "sieve"), { recursive: true });
          await Deno.writeTextFile(join(homes, "mia", "sieve", "lists.sieve"), "keep;\n");
          await Deno.writeTextFile(join(homes, "mia", "sieve", "wrong.sieve"), "if;\n");
          const scripts = page.locator("section", {
            has: page.getByRole("heading", { name: "Sieve scripts", exact: true }),
          });
          await scripts.getByLabel(/^Homes/).fill(join(homes, "%n"));
          await scripts.getByRole("button", { name: "Look what it would do" }).click();
          await scripts.getByRole("heading", { name: "1 script would be taken over; 1 can't be" })
            .waitFor();
          await scripts.getByText("mia: script wrong: wrong:1:1: if needs").waitFor();
          await scripts.getByRole("button", { name: "Take over" }).click();
          await scripts.getByRole("heading", { name: "1 script taken over; 1 can't be" }).waitFor();
          const inbox = join(s.dir, "cyrus", "user", "mia");
          await Deno.mkdir(inbox, { recursive: true });
          await Deno.writeTextFile(
            join(inbox, "cyrus.header"),
            'x Cyrus mailbox header\n"..."\n\t--...\nuser.mia\t1\n\nmia\tlrs\t\n',
          );
          await Deno.writeTextFile(join(inbox, "1."), "Subject: from Cyrus\r\n\r\nhi\r\n");
          await page.getByRole("button", { name: "Bring mail from Cyrus" }).click();
          await dialog.getByLabel("Partition").fill(join(s.dir, "cyrus"));
          await dialog.getByRole("button", { name: "Begin" }).click();
          await page.getByRole("heading", { name: /^Done, from .*cyrus/ }).waitFor();
          await page.getByRole("row", { name: /^mia done 1 0 0/ }).waitFor();
          assert.deepEqual(await violations(page), []);
        },
      );

      await t.step("the DNS is checked, with what to do; an alias is edited", async () => {
        await page.goto(`${s.origin}/admin/#domains/mox.example`);
        await page.getByRole("button", { name: "Check DNS" }).click();
        await page.getByText('Add to the zone: mox.example. TXT "v=spf1 mx ~all"').waitFor();
        await page.getByText("Each record").click();
        await page.getByRole("cell", { name: "MX", exact: true }).waitFor();
        assert.deepEqual(await violations(page), []);
        await page.goto(`${s.origin}/admin/#domains/concert.example`);
        await page.getByRole("row", { name: /team@concert/ }).getByRole("button", { name: "Edit" })
          .click();
        await dialog.getByLabel("Members", { exact: true }).fill("ben@concert.example");
        await dialog.getByRole("button", { name: "Save" }).click();
        await page.getByRole("row", { name: /^team@concert\.example ben@concert\.example anybody/ })
          .waitFor();
      });

      await t.step("the queue: filter, message, actions that ask first", async () => {
        await goTo(page, "queue");
        await page.getByRole("button", { name: "billing@full.example" }).click();
        await dialog.getByText("452 4.2.2 The mailbox of billing is over its quota").waitFor();
        await dialog.getByText("Subject: Invoice 2026-1043").waitFor();
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press("Escape");
        await page.getByLabel("To", { exact: true }).fill("@held.example");
        await page.getByRole("button", { name: "Filter" }).click();
        await page.getByRole("button", { name: "billing@full.example" }).waitFor({
          state: "detached",
        });
        await page.getByLabel("All shown").check();
        await page.getByText("2 selected").waitFor();
        await page.getByRole("button", { name: "More…" }).click();
        assert.deepEqual(await violations(page), []);
        await page.getByRole("menuitem", { name: /^Drop/ }).click();
        await dialog.getByRole("button", { name: "Cancel" }).click();
        assert.equal(s.server.queue.count(), 5);
        await page.getByRole("button", { name: "More…" }).click();
        await page.getByRole("menuitem", { name: /^Drop/ }).click();
        await dialog.getByRole("button", { name: "Drop" }).click();
        await page.getByText("Nothing fits the filter.").waitFor();
        assert.equal(s.server.queue.count(), 3);
        await page.getByRole("button", { name: "Show all" }).click();
        await page.getByRole("button", { name: "billing@full.example" }).waitFor();
      });

      await t.step("reports are opened", async () => {
        await goTo(page, "dmarc");
        await page.getByRole("img", { name: /^Messages of 31 days: .* failed$/ }).waitFor();
        await page.getByRole("button", { name: "Google LLC" }).first().click();
        await dialog.getByRole("cell", { name: "198.51.100.7" }).waitFor();
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await page.getByLabel("Period", { exact: true }).selectOption({ label: "the last 7 days" });
        await page.getByRole("img", { name: /^Messages of 8 days/ }).waitFor();
        await goTo(page, "tls");
        await page.getByRole("button", { name: "Google LLC" }).first().click();
        await dialog.getByRole("heading", { name: "MTA-STS of mox.example" }).waitFor();
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press("Escape");
      });

      await t.step(
        "domains.conf: a mistake is told with its line, which is gone to; a right one is in force",
        async () => {
          await goTo(page, "config");
          const area = page.getByLabel("domains.conf", { exact: true });
          const text = await area.inputValue();
          await area.fill(text.replace("FullName: Ann Example", "FulName: Ann"));
          await page.getByRole("button", { name: "Save" }).click();
          const line = text.split("\n").findIndex((l) => l.includes("FullName: Ann")) + 1;
          await page.getByRole("button", { name: `Line ${line}` }).click();
          assert.equal(
            await page.evaluate<string>(`(() => {
            const a = document.activeElement;
            return a.value.slice(a.selectionStart, a.selectionEnd).trim();
          })()`),
            "FulName: Ann",
          );
          await area.fill(text.replace("FullName: Ann Example", "FullName: Annie"));
          await page.getByRole("button", { name: "Save" }).click();
          await page.getByText("Saved, and in force.").waitFor();
          assert.equal(s.config.account("ann")!.FullName, "Annie");
        },
      );

      await t.step("a token for programs is made, and works", async () => {
        await page.getByRole("link", { name: "API tokens", exact: true }).click();
        await page.getByRole("button", { name: "Make token" }).click();
        await dialog.getByLabel("Name", { exact: true }).fill("terraform");
        await dialog.getByLabel("Domains").fill("nowhere.example");
        await dialog.getByLabel("Current password").fill(adminPassword);
        await dialog.getByRole("button", { name: "Make", exact: true }).click();
        await dialog.getByRole("alert").getByText("no domain nowhere.example").waitFor();
        await dialog.getByLabel("Domains").fill("concert.example");
        await dialog.getByRole("button", { name: "Make", exact: true }).click();
        const token = (await dialog.locator("code").innerText()).trim();
        await page.keyboard.press("Escape");
        await page.getByRole("cell", { name: "terraform", exact: true }).waitFor();
        const r = await fetch(`${s.origin}/admin/api/Domains`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          body: "{}",
        });
        assert.deepEqual((await r.json()).domains.map((d: { name: string }) => d.name), [
          "concert.example",
        ]);
        await page.getByRole("button", { name: "Withdraw terraform" }).click();
        await dialog.getByRole("button", { name: "Withdraw" }).click();
        await page.getByText("There are none.").waitFor();
      });

      await t.step(
        "who administers a domain logs in with their address, and sees it only",
        async () => {
          await page.getByRole("link", { name: "Domains", exact: true }).click();
          await page.getByRole("link", { name: "concert.example" }).click();
          await page.getByRole("button", { name: "Change administrators" }).click();
          await dialog.getByLabel("Accounts, one on a line").fill("office");
          await dialog.getByRole("button", { name: "Save" }).click();
          await page.getByRole("listitem").getByText("office", { exact: true }).waitFor();
          const other = await newContext(browser);
          const office = await other.newPage();
          await office.goto(`${s.origin}/admin/`);
          await office.getByText("I administer some domains only").click();
          await office.getByLabel("Email address").fill("office@concert.example");
          await office.getByLabel("Password").fill(userPassword);
          await office.getByRole("button", { name: "Log in" }).click();
          await office.getByRole("cell", { name: "concert.example" }).waitFor();
          assert.deepEqual(await office.getByRole("cell", { name: "mox.example" }).count(), 0);
          assert.deepEqual(await office.getByRole("navigation").getByRole("link").allInnerTexts(), [
            "Domains",
            "Accounts",
          ]);
          await office.getByRole("link", { name: "Accounts", exact: true }).click();
          await office.getByRole("cell", { name: "office", exact: true }).waitFor();
          await other.close();
        },
      );

      await t.step("a handler of the web server is added", async () => {
        await goTo(page, "web");
        await page.getByRole("button", { name: "Add handler" }).click();
        await dialog.getByLabel("Host").fill("www.concert.example");
        await dialog.getByLabel("What it does").selectOption({ label: "Reverse proxy" });
        assert.deepEqual(await violations(page), []);
        await dialog.getByLabel("To", { exact: true }).fill("no url");
        await dialog.getByRole("button", { name: "Add", exact: true }).click();
        await dialog.getByRole("alert").getByText(/./).waitFor();
        await dialog.getByLabel("To", { exact: true }).fill("http://127.0.0.1:8123/");
        await dialog.getByRole("button", { name: "Add", exact: true }).click();
        await page.getByRole("cell", { name: /Reverse proxy/ }).waitFor();
      });

      await t.step("keys alone: the focus stays where one works", async () => {
        await page.getByRole("link", { name: "Log levels" }).focus();
        await page.keyboard.press("Enter");
        await page.locator('main[data-section="log"]').waitFor();
        await page.getByRole("button", { name: "Set level" }).focus();
        await page.keyboard.press("Enter");
        await page.keyboard.type("tlsrpt");
        await page.keyboard.press("Tab");
        await page.keyboard.type("debug");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.getByRole("row", { name: /^tlsrpt debug/ }).waitFor();
        await dialog.waitFor({ state: "detached" });
        const focus = () =>
          page.evaluate<string>("document.activeElement.textContent.slice(0, 40).trim()");
        assert.equal(await focus(), "Set level");
        // What is removed has the focus go to what stands in its place.
        await page.getByRole("row", { name: /^tlsrpt/ }).getByRole("button", {
          name: "Back to default",
        }).focus();
        await page.keyboard.press("Enter");
        await page.getByRole("row", { name: /^tlsrpt/ }).waitFor({ state: "detached" });
        assert.ok(
          await page.evaluate<boolean>(
            "document.querySelector('main').contains(document.activeElement)",
          ),
        );
      });

      for (const look of ["light", "dark", "phone"] as const) {
        await t.step(
          `every section is accessible, and no wider than the window: ${look}`,
          async () => {
            const other = await newContext(browser, {
              dark: look === "dark",
              phone: look === "phone",
            });
            const p = await other.newPage();
            await login(p, s);
            // In the dark only the colours are others.
            const rules = look === "dark" ? ["color-contrast"] : undefined;
            for (const [id, name] of Object.entries(sections)) {
              if (look === "phone") await p.locator(".menu-button").click();
              await goTo(p, id as keyof typeof sections);
              assert.deepEqual(await violations(p, rules), [], name);
              assert.equal(await wide(p), 0, name);
            }
            await other.close();
          },
        );
      }

      await t.step("the page broke no policy and threw nothing", () => {
        // Answers that tell of a mistake are among the console's errors.
        assert.deepEqual(problems.filter((m) => !/status of 4(01|22)/.test(m)), []);
      });

      await t.step("when the session has ended the password is asked for again", async () => {
        await c.clearCookies();
        await page.getByRole("link", { name: "Domains", exact: true }).click();
        await page.getByLabel("Password").waitFor();
      });
      await c.close();
    });
  } finally {
    await browser.close();
  }
});
