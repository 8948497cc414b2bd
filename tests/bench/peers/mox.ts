/** This server as localserve in a temporary folder, in a process of its own. @module */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { localserveFlags } from "../../support/localserve.ts";
import { type Peer, processMemory, waitForPort } from "./types.ts";

const main = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "main.ts");

/** Starts localserve on ports from an offset. */
export async function startMox(offset = 21_000): Promise<Peer> {
  const dir = await Deno.makeTempDir({ prefix: "mox-bench-" });
  const log = await Deno.open(`${dir}/log`, { write: true, create: true });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      ...localserveFlags,
      main,
      "localserve",
      "-dir",
      `${dir}/server`,
      "-ports",
      String(offset),
    ],
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
    user: "mox@localhost",
    password: "moxmoxmox",
    recipient: "mox@localhost",
    memory: () => processMemory(child.pid),
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      await copied;
      await Deno.remove(dir, { recursive: true });
    },
  };
}
