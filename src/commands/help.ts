/** Help texts, made from the table of commands. @module */
import type { Command } from "./command.ts";

/** Help for one command (by its whole name, or by the first word of several), or for all with "". */
export function help(commands: readonly Command[], topic: string): string | undefined {
  if (topic === "") {
    const width = Math.max(...commands.map((c) => c.name.length));
    const lines = commands.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`);
    return `mox: a mail server for your own domains\n\nusage: mox command [flags] [arguments]\n\n${
      lines.join("\n")
    }\n\n"mox help command" tells more about each.\n`;
  }
  const found = commands.filter((c) => c.name === topic || c.name.startsWith(`${topic} `));
  if (found.length === 0) return undefined;
  return found.map((c) => `usage: mox ${c.usage}\n\n${c.help.trim()}\n`).join("\n");
}
