/** Calls that use the rest of the server: links, release, faults, limits of what is kept, events. */
import assert from "node:assert/strict";
import { removeOld } from "../../../src/web/catcher/keep_small.ts";
import { LiveMail } from "../../../src/web/catcher/live.ts";
import type { CatcherServices } from "../../../src/web/catcher/services.ts";
import { parseScenario } from "../../../src/web/catcher/mod.ts";
import { withCatcher } from "./world.ts";

Deno.test("links are asked five at a time, a hundred at most, and those count as errors that lead nowhere", async () => {
  let [running, most] = [0, 0];
  const asked: [string, boolean][] = [];
  const status = (url: string) =>
    ({ ok: 200, moved: 301, edge: 399, bad: 400, gone: 404, none: 0 })[
      new URL(url).pathname.slice(1) as "ok"
    ] ?? 200;
  const checkLink = async (url: string, follow: boolean) => {
    asked.push([url, follow]);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 0));
    running--;
    return { StatusCode: status(url), Status: "x" };
  };
  await withCatcher(async (w) => {
    const link = (path: string) => `http://a.example/${path}`;
    const some = ["ok", "moved", "edge", "bad", "gone", "none"].map(link);
    const id = await w.catches(`Subject: s\n\n${some.join("\n")}\n`);
    const { json } = await w.call("GET", `/api/v1/message/${id}/link-check`);
    assert.equal(json.Errors, 3);
    assert.deepEqual(
      json.Links.map((l: { URL: string; StatusCode: number }) => [l.URL, l.StatusCode]),
      some.map((url) => [url, status(url)]),
    );
    assert.ok(asked.every(([, follow]) => !follow));
    await w.call("GET", `/api/v1/message/${id}/link-check?follow=true`);
    assert.ok(asked.slice(6).every(([, follow]) => follow));
    const many = Array.from({ length: 105 }, (_, i) => link(`n${i}`));
    const large = await w.catches(`Subject: s\n\n${many.join("\n")}\n`);
    asked.length = 0;
    const r = await w.call("GET", `/api/v1/message/${large}/link-check`);
    assert.deepEqual([r.json.Links.length, asked.length, r.json.Errors, most], [100, 100, 0, 5]);
    const none = await w.catches("Subject: s\n\nno link\n");
    assert.deepEqual((await w.call("GET", `/api/v1/message/${none}/link-check`)).json, {
      Errors: 0,
      Links: [],
    });
  }, { checkLink });
});

Deno.test("a message is released as it came, with its own sender, to those who may have it", async () => {
  const sent: [string, string[], string, number][] = [];
  const release: CatcherServices["release"] = {
    server: "mail.example.org:25",
    refusal: (a) => a.endsWith("@example.org") ? undefined : `${a} is not allowed`,
    send: (from, to, message, size) => {
      const text = [...message()].map((b) => new TextDecoder().decode(b)).join("");
      sent.push([from, to, text, size]);
      return Promise.resolve();
    },
  };
  await withCatcher(async (w) => {
    const id = await w.catches("Subject: s\n\nhi\n", { from: "bounce@x.example" });
    const to = (To: unknown) => w.call("POST", `/api/v1/message/${id}/release`, { To });
    const bad = await to(["a@example.org", "b@evil.example"]);
    assert.deepEqual([bad.status, bad.text], [400, "b@evil.example is not allowed\n"]);
    assert.deepEqual(sent, [], "none of them gets it");
    for (const wrong of [[], undefined, "a@example.org", [1]]) {
      assert.equal((await to(wrong)).status, 400, JSON.stringify(wrong));
    }
    assert.equal((await to(["a@example.org"])).text, "ok\n");
    const text = "Subject: s\r\n\r\nhi\r\n";
    assert.deepEqual(sent, [["bounce@x.example", ["a@example.org"], text, text.length]]);
    const { json } = await w.call("GET", "/api/v1/webui");
    assert.deepEqual(
      [json.MessageRelay.Enabled, json.MessageRelay.SMTPServer],
      [true, "mail.example.org:25"],
    );
  }, { release });
  await withCatcher(async (w) => {
    const id = await w.catches("Subject: s\n\nhi\n");
    const r = await w.call("POST", `/api/v1/message/${id}/release`, { To: ["a@example.org"] });
    assert.equal(r.status, 400);
    assert.match(r.text, /-relay/);
  });
});

Deno.test("faults are set as they were sent, what is left out is off, and what makes no sense is refused", async () => {
  const log: unknown[] = [];
  const faults = {
    settings: { Sender: { ErrorCode: 451, Probability: 7 }, Recipient: 1, Authentication: 2 },
    set: (s: unknown) => log.push(s),
    play: (s: unknown) => log.push(s),
  } as unknown as CatcherServices["faults"];
  const off = (ErrorCode: number) => ({ ErrorCode, Probability: 0 });
  await withCatcher(async (w) => {
    assert.deepEqual((await w.call("GET", "/api/v1/chaos")).json, faults.settings);
    const set = await w.call("PUT", "/api/v1/chaos", { recipient: { Probability: 50 } });
    assert.deepEqual(set.json, faults.settings);
    assert.deepEqual(log.pop(), {
      Sender: off(451),
      Recipient: { ErrorCode: 451, Probability: 50 },
      Authentication: off(535),
    });
    await w.call("PUT", "/api/v1/faults", { LatencyMs: 600_000, StartTLS: "broken" });
    assert.deepEqual(log.pop(), {
      Sender: off(451),
      Recipient: off(451),
      Authentication: off(535),
      Message: off(451),
      DropProbability: 0,
      LatencyMs: 600_000,
      BytesPerSecond: 0,
      GreylistSeconds: 0,
      QuotaBytes: 0,
      StartTLS: "broken",
    });
    for (
      const [body, where] of [
        [{ LatencyMs: 600_001 }, "LatencyMs"],
        [{ LatencyMs: -1 }, "LatencyMs"],
        [{ DropProbability: 101 }, "DropProbability"],
        [{ DropProbability: 0.5 }, "DropProbability"],
        [{ Sender: { ErrorCode: 399 } }, "Sender.ErrorCode"],
        [{ Sender: { ErrorCode: 600 } }, "Sender.ErrorCode"],
        [{ Sender: { Probability: 101 } }, "Sender.Probability"],
        [{ StartTLS: "on" }, "StartTLS"],
        [{ GreylistSeconds: 86_401 }, "GreylistSeconds"],
        [{ Latency: 1 }, "Latency"],
      ] as const
    ) {
      const r = await w.call("PUT", "/api/v1/faults", body);
      assert.equal(r.status, 400, JSON.stringify(body));
      assert.ok(r.text.startsWith(`${where}: `), r.text);
    }
    const steps = [{ Messages: 2, Faults: { QuotaBytes: 1 } }, { Faults: {} }];
    assert.equal((await w.call("PUT", "/api/v1/scenario", steps)).status, 200);
    assert.equal((log.pop() as unknown[]).length, 2);
    assert.equal((await w.call("PUT", "/api/v1/scenario", { Messages: 2 })).status, 400);
    assert.deepEqual(log, []);
  }, { faults });
  assert.equal(parseScenario(JSON.stringify([{ Seconds: 1, Faults: {} }])).length, 1);
  assert.throws(
    () => parseScenario('[{"Seconds":1,"Faults":{"LatencyMs":-1}}]'),
    /0\.Faults\.LatencyMs/,
  );
  assert.throws(() => parseScenario("{"));
});

Deno.test("of too many messages the newest stay, and none that is too old", async () => {
  await withCatcher(async (w) => {
    for (let i = 1; i <= 6; i++) {
      await w.catches(`Subject: ${i}\n\nx\n`, {
        received: i * 1000,
        tags: i === 1 ? ["first"] : [],
      });
    }
    const left = async () =>
      (await w.call("GET", "/api/v1/messages")).json.messages
        .map((m: { Subject: string }) => m.Subject).join("");
    const keep = (messages: number | undefined, age: number | undefined, now: number) =>
      removeOld({ mail: w.mail, keep: { messages, age } }, now);
    await keep(undefined, undefined, 1e9);
    await keep(6, undefined, 1e9);
    assert.equal(await left(), "654321");
    await keep(5, undefined, 1e9);
    assert.equal(await left(), "65432");
    assert.deepEqual((await w.call("GET", "/api/v1/tags")).json, []);
    await keep(undefined, 2000, 5000);
    assert.equal(await left(), "6543", "one of the very age stays");
    await keep(1, 60_000, 5000);
    assert.equal(await left(), "6");
    await keep(0, undefined, 5000);
    assert.equal(await left(), "");
  });
});

Deno.test("who waits for mail is woken by what comes and goes in the list, and by nothing else", async () => {
  await withCatcher(async (w) => {
    const live = new LiveMail(w.mail, "1.2.3");
    const never = new AbortController().signal;
    const woken = async (fn: () => Promise<unknown>): Promise<boolean> => {
      await live.follow();
      const stop = new AbortController();
      let by = "nothing";
      const waiting = live.next(60_000, AbortSignal.any([stop.signal, never])).then(() => {
        if (by === "nothing") by = "mail";
      });
      await fn();
      // Listeners run in the turns after the commit.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
      const result = by;
      by = "the end";
      stop.abort();
      await waiting;
      return result === "mail";
    };
    const trash = w.account.mailboxByName("Trash")!.id;
    const inbox = w.account.mailboxByName("Inbox")!.id;
    assert.equal(await woken(() => w.catches("Subject: 1\n\nx\n")), true);
    assert.equal(await woken(() => Promise.resolve()), false);
    assert.equal(await woken(() => w.account.storeFlags(inbox, [1], "add", 1, [])), true);
    assert.equal(await woken(() => w.account.move(inbox, [1], trash)), true);
    assert.equal(
      await woken(() => w.account.expunge(trash, [1], undefined, { force: true })),
      false,
      "Trash is not in the list",
    );
    const begun = performance.now();
    await live.next(0, never);
    await live.next(-1, never);
    assert.ok(performance.now() - begun < 30_000);
    const closing = live.next(3_600_000, never);
    await new Promise((resolve) => setTimeout(resolve, 0));
    live.close();
    await closing;
  });
});

Deno.test("figures and settings for clients: what came, what is there, what was deleted", async () => {
  await withCatcher(async (w) => {
    for (const s of ["one", "two", "three"]) {
      await w.catches(`Subject: ${s}\n\n${s}\n`, { tags: ["t"] });
    }
    await w.call("GET", "/api/v1/message/m3");
    await w.call("DELETE", "/api/v1/messages", { IDs: ["m1"] });
    const { json } = await w.call("GET", "/api/v1/info");
    const { RuntimeStats: stats, ...rest } = json;
    const size = await w.mail.size();
    assert.ok(size > 0);
    assert.deepEqual(rest, {
      Version: "1.2.3",
      LatestVersion: "1.2.3",
      Database: w.services.dataDir,
      DatabaseSize: size,
      Messages: 2,
      Unread: 1,
      Tags: { t: 2 },
    });
    assert.deepEqual([stats.SMTPAccepted, stats.MessagesDeleted, stats.SMTPRejected], [3, 1, 0]);
    assert.ok(stats.Uptime >= 0 && stats.Uptime < 3600);
    assert.ok(stats.Memory > 1_000_000);
    const { json: settings } = await w.call("GET", "/api/v1/webui");
    assert.deepEqual(settings, {
      Label: "",
      MessageRelay: {
        Enabled: false,
        SMTPServer: "",
        ReturnPath: "",
        AllowedRecipients: "",
        BlockedRecipients: "",
        OverrideFrom: "",
        PreserveMessageIDs: true,
      },
      SpamAssassin: true,
      ChaosEnabled: true,
      DuplicatesIgnored: false,
      HideDeleteAllButton: false,
    });
    // Each call that is described is there: another answer than that of a call that is not.
    const { json: api } = await w.call("GET", "/api/v1/openapi.json");
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const method of Object.keys(methods as object)) {
        if (/wait|release/.test(path)) continue;
        const real = path.replace("{ID}", "m3").replace("{PartID}", "1").replace("{Tag}", "t");
        const r = await w.call(method.toUpperCase(), `${real}?query=x&kind=to`, undefined);
        assert.ok(
          r.status !== 404 || !/no such call|^not found/.test(r.text),
          `${method} ${path}: ${r.text}`,
        );
      }
    }
  });
});
