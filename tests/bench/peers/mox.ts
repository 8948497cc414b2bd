/** This server as localserve in a temporary folder, in a process of its own. @module */
import { programArgs } from "../../support/program.ts";
import { type Peer, processCpu, processMemory, waitForPort } from "./types.ts";

/** Starts localserve on ports from an offset. @throws Deno.errors.AddrInUse: another's server would be measured */
export async function startMox(offset = 21_000): Promise<Peer> {
  for (const port of [1025, 1143]) {
    Deno.listen({ hostname: "127.0.0.1", port: port + offset }).close();
  }
  const dir = await Deno.makeTempDir({ prefix: "mox-bench-" });
  const log = await Deno.open(`${dir}/log`, { write: true, create: true });
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["localserve", "-dir", `${dir}/server`, "-ports", String(offset)]),
    stdout: "null",
    stderr: "piped",
    stdin: "null",
  }).spawn();
  const copied = child.stderr.pipeTo(log.writable).catch(() => {});
  const [smtpPort, imapPort] = [1025 + offset, 1143 + offset];
  await waitForPort(smtpPort);
  await waitForPort(imapPort);
  return {
    name: "mox",
    smtpPort,
    imapPort,
    imapsPort: 1993 + offset,
    user: "mox@localhost",
    password: "moxmoxmox",
    recipient: "mox@localhost",
    memory: () => processMemory(child.pid),
    cpu: () => processCpu(child.pid),
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      await copied;
      await Deno.remove(dir, { recursive: true });
    },
  };
}
