/** A full disk is told to who asks, and is no error of the program. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { Log, setLogSink } from "../../../src/log/mod.ts";
import { answerCall, ownHost, routeServices, serveHttp } from "../../../src/web/http/mod.ts";

setLogSink(() => {});

Deno.test("a full disk: a page's call and a request are answered with 507 and words", async () => {
  const full = () => {
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  };
  const calls = { Save: { request: v.null(), response: v.null() } };
  const server = await serveHttp(
    { hostname: "127.0.0.1", port: 0, log: new Log("http") },
    routeServices([{
      name: "webmail",
      path: "/",
      host: ownHost("localhost"),
      handle: (req) =>
        req.path === "/Save"
          ? answerCall({
            req,
            name: "Save",
            calls,
            handlers: { Save: full },
            context: () => undefined,
            pkg: "webmail",
          })
          : full(),
    }]),
  );
  try {
    const base = `http://127.0.0.1:${server.port}/`;
    const call = await fetch(`${base}Save`, {
      method: "POST",
      body: "null",
      headers: { "content-type": "application/json", "x-mox-request": "1" },
    });
    assert.equal(call.status, 507);
    const { error } = await call.json();
    assert.equal(error.code, "internal");
    assert.match(error.message, /the server's disk is full/);
    const other = await fetch(`${base}other`);
    assert.equal(other.status, 507);
    assert.match(await other.text(), /the server's disk is full/);
  } finally {
    await server.shutdown(1000);
  }
});
