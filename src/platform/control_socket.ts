/**
 * Where the running server listens for commands from its own machine: a unix socket in the data folder that
 * only its owner may open; on Windows a loopback port, whose number and secret are in a file there.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Server } from "node:net";
import { join } from "node:path";
import { writeFileAtomic } from "./files.ts";
import { isWindows } from "./os.ts";

/** Where to connect, and the secret to present. */
export interface ControlAddress {
  path?: string;
  port?: number;
  secret?: string;
}

const place = (dir: string) => join(dir, isWindows ? "ctl.json" : "ctl");

/** Listens, and publishes the address. @returns the secret that clients must present, if any */
export async function listenForControl(server: Server, dir: string): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  const path = place(dir);
  if (isWindows) {
    server.listen({ host: "127.0.0.1", port: 0 }, resolve);
    await promise;
    const secret = randomBytes(24).toString("base64url");
    const { port } = server.address() as { port: number };
    await writeFileAtomic(path, new TextEncoder().encode(JSON.stringify({ port, secret })), 0o600);
    return secret;
  }
  await Deno.remove(path).catch(() => {});
  server.listen({ path }, resolve);
  await promise;
  await Deno.chmod(path, 0o600);
  return undefined;
}

/** The address of a server with the data folder. @throws file errors if there is none, on Windows */
export async function controlAddress(dir: string): Promise<ControlAddress> {
  if (!isWindows) return { path: place(dir) };
  return JSON.parse(await Deno.readTextFile(place(dir))) as ControlAddress;
}

/** Removes the published address. */
export async function forgetControl(dir: string): Promise<void> {
  await Deno.remove(place(dir)).catch(() => {});
}
