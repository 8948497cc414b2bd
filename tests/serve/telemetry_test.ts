/** OpenTelemetry by the runtime's own exporter, with the flags that are shipped: spans of mail, lines of the log. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import nodemailer from "nodemailer";
import { programArgs } from "../support/program.ts";
import { portsAt } from "../support/localserve.ts";
import { returnOffset, takeOffset } from "../support/ports.ts";

Deno.test("with OTEL_DENO a message's way and the log's lines go to a collector by OTLP, transcripts don't", async () => {
  const got = { "/v1/traces": "", "/v1/logs": "", "/v1/metrics": "" };
  let wake = () => {};
  const collector = createServer((req, res) => {
    let body = "";
    req.on("data", (piece) => body += piece);
    req.on("end", () => {
      const path = req.url as keyof typeof got;
      if (path in got) got[path] += body;
      res.setHeader("content-type", "application/json");
      res.end("{}");
      wake();
    });
  });
  await new Promise<void>((go) => collector.listen(0, "127.0.0.1", () => go()));
  const offset = takeOffset();
  const dir = await Deno.makeTempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["localserve", "-dir", dir, "-ports", String(offset)]),
    env: {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "replace",
      OTEL_SERVICE_NAME: "mox",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stdout = "";
  let stderr = "";
  const running = Promise.withResolvers<void>();
  const read = Promise.all([
    (async () => {
      for await (const s of child.stdout.pipeThrough(new TextDecoderStream())) {
        stdout += s;
        if (stdout.includes("running")) running.resolve();
      }
      running.reject(new Error(`it ended: ${stderr}`));
    })(),
    (async () => {
      for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) stderr += s;
    })(),
  ]);
  running.promise.catch(() => {});
  try {
    await running.promise;
    await nodemailer.createTransport({
      host: "127.0.0.1",
      port: portsAt(offset).smtp,
      ignoreTLS: true,
    }).sendMail({ from: "a@b.example", to: "c@d.example", subject: "traced", text: "x\n" });
    const wanted = () =>
      got["/v1/traces"].includes("smtp.receive") && got["/v1/logs"].includes("pkg=smtpserver");
    while (!wanted()) await new Promise<void>((go) => wake = go);
    const spans = JSON.parse(`[${got["/v1/traces"].replaceAll(/\}\s*\{/g, "},{")}]`)
      // deno-lint-ignore no-explicit-any -- OTLP's JSON as it came
      .flatMap((r: any) => r.resourceSpans).flatMap((r: any) => r.scopeSpans)
      // deno-lint-ignore no-explicit-any -- the same
      .flatMap((s: any) => s.spans) as { name: string; attributes: { key: string }[] }[];
    const receive = spans.find((s) => s.name === "smtp.receive")!;
    assert.deepEqual(receive.attributes.map((a) => a.key).sort(), [
      "client.address",
      "mox.cid",
      "mox.recipients",
      "mox.size",
    ]);
    assert.match(got["/v1/logs"], /"service\.name"[^]*?"mox"/);
    assert.doesNotMatch(got["/v1/logs"], /l=trace/);
    // What goes to the collector is not in the way of the program's own output.
    assert.doesNotMatch(stdout, / l=info /);
    assert.match(stderr, / l=info .*pkg=smtpserver/);
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await read.catch(() => {});
    collector.closeAllConnections();
    await new Promise((go) => collector.close(go));
    returnOffset(offset);
    await Deno.remove(dir, { recursive: true });
  }
});
