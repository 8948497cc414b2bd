/**
 * Pictures of every view of the account and admin pages, in light and dark and on a phone, with much in them and
 * with nothing. The folder for them is the argument.
 */
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { browserFlags, newContext } from "../tests/browser/browser.ts";
import {
  adminPassword,
  type AdminSite,
  userPassword,
  withAdminSite,
} from "../tests/serve/admin_site.ts";
import { findProgram } from "../tests/support/programs.ts";

const [out = "screenshots", only = ""] = Deno.args;
await Deno.mkdir(out, { recursive: true });

const looks = ["light", "dark", "phone"] as const;

async function shot(p: Page, name: string): Promise<void> {
  await p.waitForLoadState("networkidle");
  await p.locator("main[aria-busy]").waitFor({ state: "detached" });
  await p.screenshot({ path: `${out}/${name}.png`, fullPage: true });
  const wider = await p.evaluate<string[]>(`(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
      .filter((e) => e.getBoundingClientRect().right > width + 1)
      .map((e) => e.outerHTML.slice(0, 80));
  })()`);
  console.log(`${name}${wider.length > 0 ? `: wider than the window: ${wider.join(" | ")}` : ""}`);
}

const sections = {
  admin:
    "overview domains domains/concert.example accounts accounts/ann queue retired suppressions hooks " +
    "dmarc tls logins connections certificates blocklists storage web log config",
  account: "account addresses away junk sessions suppressions transfer webhooks programs",
};

async function page(
  context: BrowserContext,
  site: AdminSite,
  kind: "admin" | "account",
  look: string,
) {
  const p = await context.newPage();
  await p.goto(`${site.origin}/${kind === "admin" ? "admin/" : ""}`);
  await p.getByLabel("Password").waitFor();
  await shot(p, `${kind}-login-${look}`);
  if (kind === "account") await p.getByLabel("Email address").fill("ann@mox.example");
  await p.getByLabel("Password").fill(kind === "admin" ? adminPassword : userPassword);
  await p.getByRole("button", { name: "Log in" }).click();
  await p.getByRole("heading", { level: 1 }).waitFor();
  for (const id of sections[kind].split(" ")) {
    await p.evaluate<void>(`location.hash = ${JSON.stringify(`#${id}`)}`);
    await p.locator(`nav a[aria-current][href="#${id.split("/")[0]}"]`).waitFor({
      state: "attached",
    });
    await shot(p, `${kind}-${id.replace("/", "-")}-${look}`);
  }
  if (kind === "account") return;
  await p.evaluate<void>(`location.hash = "#domains/mox.example"`);
  await p.getByRole("button", { name: "Check DNS" }).click();
  await p.getByText("What to do:").first().waitFor();
  await shot(p, `admin-dnscheck-${look}`);
  await p.evaluate<void>(`location.hash = "#queue"`);
  await p.getByRole("button", { name: "billing@full.example" }).click();
  await p.getByRole("dialog").getByText("Invoice 2026-1043.").waitFor();
  await shot(p, `admin-queue-message-${look}`);
  await p.keyboard.press("Escape");
  await p.getByLabel("All shown").check();
  await p.getByRole("button", { name: "More…" }).click();
  await shot(p, `admin-queue-menu-${look}`);
  await p.keyboard.press("Escape");
  await p.evaluate<void>(`location.hash = "#dmarc"`);
  await p.getByRole("button", { name: "Google LLC" }).first().click();
  await p.getByRole("dialog").waitFor();
  await shot(p, `admin-dmarc-report-${look}`);
  await p.keyboard.press("Escape");
  await p.evaluate<void>(`location.hash = "#web"`);
  await p.getByRole("button", { name: "Add handler" }).click();
  await shot(p, `admin-web-handler-${look}`);
  await p.keyboard.press("Escape");
  await p.evaluate<void>(`location.hash = "#accounts/ann"`);
  await p.getByRole("button", { name: "Settings" }).click();
  await shot(p, `admin-account-settings-${look}`);
}

const browser = await chromium.launch({
  executablePath: findProgram("chromium"),
  args: browserFlags,
});
try {
  for (const empty of only === "empty" ? [true] : only === "" ? [false, true] : [false]) {
    await withAdminSite(async (site) => {
      for (const look of empty ? ["light"] as const : looks) {
        if (!empty && only !== "" && look !== only) continue;
        const c = await newContext(browser, { dark: look === "dark", phone: look === "phone" });
        if (empty) {
          sections.admin = sections.admin.replace("domains/concert.example", "domains/mox.example");
        }
        const name = empty ? "empty" : look;
        if (empty) {
          const p = await c.newPage();
          await p.goto(`${site.origin}/admin/`);
          await p.getByLabel("Password").fill(adminPassword);
          await p.getByRole("button", { name: "Log in" }).click();
          await p.getByRole("heading", { level: 1 }).waitFor();
          for (const id of sections.admin.split(" ")) {
            await p.evaluate<void>(`location.hash = ${JSON.stringify(`#${id}`)}`);
            await p.locator(`nav a[aria-current][href="#${id.split("/")[0]}"]`).waitFor();
            await shot(p, `admin-${id.replace("/", "-")}-${name}`);
          }
        } else {
          await page(c, site, "admin", name);
          await page(c, site, "account", name);
        }
        await c.close();
      }
    }, { empty });
  }
} finally {
  await browser.close();
}
