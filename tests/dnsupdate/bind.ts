/** Debian's BIND as the primary of zones that a key may change, on loopback. */
import { makeResolver, type Resolver } from "../../src/dns/mod.ts";
import { findProgram } from "../support/programs.ts";
import { freePorts } from "../serve/instance.ts";

export const secret = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBmb3IgdXBkYXRlcw==";

export interface Bind extends AsyncDisposable {
  port: number;
  /** Asks it, and remembers nothing. */
  resolver(): Resolver;
}

/** Starts it, with an empty zone for each name. */
export async function startBind(
  zones: readonly string[],
  more: Record<string, string> = {},
): Promise<Bind> {
  const dir = await Deno.makeTempDir({ prefix: "mox-bind-" });
  const [port, control] = await freePorts(2);
  for (const zone of zones) {
    await Deno.writeTextFile(
      `${dir}/${zone}.zone`,
      `$TTL 60\n@ SOA ns hostmaster 1 60 60 60 1\n@ NS ns\nns A 127.0.0.1\n@ TXT "somebody's own"\n${
        more[zone] ?? ""
      }`,
    );
  }
  await Deno.writeTextFile(
    `${dir}/named.conf`,
    `key "mox." { algorithm hmac-sha256; secret "${secret}"; };
key "long." { algorithm hmac-sha512; secret "${secret}"; };
controls { inet 127.0.0.1 port ${control} allow { none; }; };
options { directory "${dir}"; pid-file none; session-keyfile none; listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; }; recursion no; dnssec-validation no; managed-keys-directory "${dir}"; };
logging { category default { null; }; };
${
      zones.map((z) =>
        `zone "${z}" { type primary; file "${z}.zone"; allow-update { key "mox."; key "long."; }; };\n`
      ).join("")
    }`,
  );
  const child = new Deno.Command(findProgram("named") ?? "named", {
    args: ["-f", "-4", "-n", "1", "-c", `${dir}/named.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  let ended = false;
  child.status.then(() => ended = true);
  const resolver = () =>
    makeResolver({ servers: [{ address: "127.0.0.1", port, trusted: true }], timeoutMs: 2000 });
  for (;;) {
    if (ended) throw new Error(`named ended: ${await said}`);
    try {
      await resolver().lookup(zones[0], "NS");
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    port,
    resolver,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGTERM");
      await child.status;
      await said;
      await Deno.remove(dir, { recursive: true });
    },
  };
}
