/** mutt and neomutt of Debian send with their default settings: their library can't do SCRAM-PLUS over TLS 1.3. */
import assert from "node:assert/strict";
import { findProgram, lacks } from "../support/programs.ts";
import { account, certificate, recordingBackend, startServer } from "./talk.ts";

for (
  const [program, scramPlus] of [["neomutt", false], ["mutt", false], ["neomutt", true]] as const
) {
  Deno.test({
    name: scramPlus
      ? `${program} fails once where SCRAM-PLUS is offered, and not again`
      : `${program} sends through submission with its defaults`,
    ignore: lacks(program),
    async fn() {
      const backend = recordingBackend();
      await using t = await startServer({ submission: true, backend, scramPlus });
      const dir = await Deno.makeTempDir();
      try {
        await Deno.writeTextFile(`${dir}/cert.pem`, certificate.cert);
        await Deno.writeTextFile(
          `${dir}/rc`,
          [
            `set certificate_file=${dir}/cert.pem`,
            "set ssl_verify_host=no",
            `set smtp_url="smtp://${
              encodeURIComponent(account.name)
            }:te%20st1234@127.0.0.1:${t.port}/"`,
            "set ssl_starttls=yes",
            "set ssl_force_tls=yes",
            `set from="${account.name}"`,
            "set record=''",
          ].join("\n"),
        );
        const send = async (): Promise<number> => {
          const child = new Deno.Command(findProgram(program)!, {
            args: ["-n", "-F", `${dir}/rc`, "-s", "from a mutt", "x@dest.example"],
            env: { HOME: dir },
            stdin: "piped",
            stdout: "piped",
            stderr: "piped",
          }).spawn();
          const output = child.output();
          const w = child.stdin.getWriter();
          await w.write(new TextEncoder().encode("hello\n"));
          await w.close();
          return (await output).code;
        };
        if (scramPlus) assert.notEqual(await send(), 0);
        assert.equal(await send(), 0);
        assert.equal(backend.seen.deliveries.length, 1);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  });
}
