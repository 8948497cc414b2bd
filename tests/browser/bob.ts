/** Pages of bob, in tests of what ann shares with him. */
import type { Browser, Page } from "playwright-core";
import { password, type World } from "../jmap/world.ts";
import { type Look, newContext } from "./browser.ts";

/** The webmail, in which bob has logged in. */
export async function pageOfBob(browser: Browser, w: World, look: Look): Promise<Page> {
  const page = await (await newContext(browser, look)).newPage();
  await page.goto(`${w.origin}/webmail/`);
  await page.getByLabel("Email address").fill("bob@mox.example");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("listbox", { name: "Messages" }).waitFor();
  return page;
}

/** A day of next month, as YYYY-MM-DD: one that every month has. */
export function nextMonth(day: number): string {
  const now = new Date();
  const d = new Date(now.getFullYear(), now.getMonth() + 1, day);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}
