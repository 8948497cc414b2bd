/** localserve as developers have it: pages without a login, and the checks of a message. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { chromium } from "playwright-core";
import { startLocalserve } from "../support/localserve.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { browserFlags, newContext } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

Deno.test({
  name: "checks of a caught message, by the API and in the webmail",
  ignore: lacks("chromium"),
  async fn() {
    const s = await startLocalserve(undefined, []);
    const browser = await chromium.launch({
      executablePath: findProgram("chromium"),
      args: browserFlags,
    });
    try {
      await nodemailer.createTransport({
        host: "127.0.0.1",
        port: s.smtp,
        secure: false,
        ignoreTLS: true,
      }).sendMail({
        from: "Shop <shop@example.org>",
        to: "ann@example.net",
        subject: "Sale!!!",
        html: '<div style="display:flex"><img src="https://shop.example/a.png">Buy now</div>',
      });
      const api = `http://127.0.0.1:${s.http}/api/v1/message/latest/check`;
      const r = await (await fetch(api)).json();
      assert.ok(r.Warnings >= 4);
      const said = r.Findings.map((f: { Text: string }) => f.Text).join("\n");
      assert.match(said, /1 picture has no alt/);
      assert.match(said, /no DKIM signature/);
      const wrong = await fetch(`${api}?ip=nonsense`);
      assert.equal(wrong.status, 400);
      await wrong.body?.cancel();

      const c = await newContext(browser);
      const p = await c.newPage();
      await p.goto(`http://localhost:${s.http}/webmail/`);
      await p.getByRole("option", { name: /Sale/ }).click();
      await p.frameLocator(".message-body iframe").getByText("Buy now").waitFor();
      await p.getByRole("button", { name: "More", exact: true }).click();
      await p.getByRole("menuitem", { name: "Checks" }).click();
      const dialog = p.getByRole("dialog", { name: "Checks" });
      await dialog.getByText("1 picture has no alt").waitFor();
      await dialog.getByRole("link", { name: /display:flex/ }).waitFor();
      assert.deepEqual(await violations(p), []);
      if (pictures) await p.screenshot({ path: `${pictures}/checks.png` });
      await c.close();
    } finally {
      await browser.close();
      await s.close();
    }
  },
});
