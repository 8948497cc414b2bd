/**
 * Transcripts as tests: "C:" lines are sent with a tag, "S:" lines must come in this order, and no
 * others. In an expected line "…" stands for anything.
 */
import assert from "node:assert/strict";
import type { Client } from "./server.ts";

function matches(line: string, want: string): boolean {
  const parts = want.split("…").map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`).test(line);
}

export async function talk(c: Client, script: string): Promise<void> {
  const lines = script.split("\n").map((l) => l.trim()).filter((l) => l !== "");
  for (let i = 0; i < lines.length;) {
    const command = lines[i];
    assert.ok(command.startsWith("C: "), `transcript: ${command}`);
    const want: string[] = [];
    for (i++; i < lines.length && lines[i].startsWith("S: "); i++) want.push(lines[i].slice(3));
    const got = await c.run(command.slice(3).replaceAll("\\r\\n", "\r\n"));
    const fits = got.length === want.length && got.every((l, k) => matches(l, want[k]));
    if (!fits) assert.deepEqual(got, want, command);
  }
}
