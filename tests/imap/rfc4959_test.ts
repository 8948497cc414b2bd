/** SASL-IR (RFC 4959), as transcripts. */
import assert from "node:assert/strict";
import { startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§3-4 the first response may come with the command; '=' is an empty one", async () => {
  const server = await startServer();
  try {
    const good = btoa("\0mjl@mox.example\0correct horse battery");
    const c = await server.client({ loggedIn: false });
    assert.match((await c.ok("CAPABILITY"))[0], / SASL-IR(?= |$)/);
    await talk(
      c,
      `
      C: AUTHENTICATE PLAIN ${btoa("\0mjl@mox.example\0wrong password")}
      S: NO [AUTHENTICATIONFAILED] wrong user name or password
      C: AUTHENTICATE PLAIN =
      S: BAD authentication: …
      C: AUTHENTICATE PLAIN ====
      S: BAD …expected base64 or =
      C: AUTHENTICATE PLAIN AAA
      S: BAD response isn't base64
      C: AUTHENTICATE PLAIN A A
      S: BAD …
      C: AUTHENTICATE SKEY AA==
      S: NO [CANNOT] mechanism is not offered
      C: AUTHENTICATE PLAIN ${good}
      S: OK [CAPABILITY …] logged in
      C: AUTHENTICATE PLAIN ${good}
      S: BAD AUTHENTICATE: already logged in
      `,
    );
    // Without one the server asks for it with an empty challenge.
    const d = await server.client({ loggedIn: false });
    d.send("a AUTHENTICATE PLAIN\r\n");
    assert.equal(await d.line(), "+ ");
    d.send(`${good}\r\n`);
    assert.match(await d.line(), /^a OK \[CAPABILITY /);
  } finally {
    await server.stop();
  }
});
