/** ID (RFC 2971), as transcripts. */
import { startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§3.1-3.3 who is there can be asked and told in any state, and changes nothing", async () => {
  const server = await startServer();
  try {
    const script = `
      C: ID NIL
      S: * ID ("name" "mox")
      S: OK done
      C: ID ("name" "sodr" "version" "19.34" "vendor" "Pink Floyd Music Limited")
      S: * ID ("name" "mox")
      S: OK done
      C: ID ("os" NIL)
      S: * ID ("name" "mox")
      S: OK done
      C: ID ()
      S: * ID ("name" "mox")
      S: OK done
      C: ID ("name")
      S: BAD …expected space
      C: ID (name x)
      S: BAD …expected field name
      C: ID
      S: BAD …expected space
      C: ID (${Array.from({ length: 31 }, (_, i) => `"f${i}" "v"`).join(" ")})
      S: BAD …expected at most 30 fields
      `;
    await talk(await server.client({ loggedIn: false }), script);
    const c = await server.client();
    await talk(c, script);
    await c.ok("SELECT INBOX");
    await talk(c, script);
  } finally {
    await server.stop();
  }
});
