/** Help texts, generated from the table of commands. @module */
import type { Command } from "./command.ts";

/** The commands with their descriptions, one per line. */
function list(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((c) => c.name.length));
  return commands.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`).join("\n");
}

/** The commands whose first word this is, such as "queue"; undefined if there are none. */
export function groupHelp(commands: readonly Command[], word: string): string | undefined {
  const found = commands.filter((c) => c.name.startsWith(`${word} `));
  if (found.length === 0) return undefined;
  return `${list(found)}\n\n"mox help command" tells more about each.\n`;
}

/** Help for one command (by its whole name, or by the first word of several), or for all with "". */
export function help(commands: readonly Command[], topic: string): string | undefined {
  if (topic === "") {
    return `mox: a mail server for your own domains\n\nusage: mox command [flags] [arguments]\n\n${
      list(commands)
    }\n\n"mox help command" tells more about each.\n`;
  }
  const found = commands.filter((c) => c.name === topic || c.name.startsWith(`${topic} `));
  if (found.length === 0) return undefined;
  return found.map((c) => `usage: mox ${c.usage}\n\n${c.help.trim()}\n`).join("\n");
}
