/** `mox junk explain`. @module */
import { explainReason } from "../delivery/explained.ts";
import { messageText } from "../delivery/message_text.ts";
import { suspectOf } from "../delivery/suspicion/message.ts";
import { signalsOf, suspicionOf, suspicious } from "../delivery/suspicion/mod.ts";
import { defaultJunkParams, JunkFilter, messageWords, wordName } from "../junk/mod.ts";
import { headerField, splitHeader } from "../mail/header/header.ts";
import { parseMessage } from "../mail/structure/structure.ts";
import { writeStdout } from "../platform/stdio.ts";
import { describe } from "../store/messages/describe.ts";
import { type Command, parseFlags } from "./command.ts";
import { readMessage } from "./inputs.ts";

export const junkExplain: Command = {
  name: "junk explain",
  usage: "junk explain message [folder]",
  summary: "Explain in plain words what speaks for a message being junk",
  help: `
Prints what the server found when the message ("-" for standard input) came in, if it has the field
X-Mox-Reason; what a careful reader would notice of it; and, with the folder of a junk filter, which
words speak for good mail and which for junk. An account's filter is in accounts/<name> of the data
folder.`,
  async run(args) {
    const { args: [file, folder] } = parseFlags(args, {}, { min: 1, max: 2 });
    const bytes = await readMessage(file);
    const parsed = parseMessage(bytes);
    const read = (from: number, to: number) => bytes.subarray(from, to);
    const text = messageText(parsed.root, read);
    const fields = splitHeader(read(0, parsed.root.bodyOffset));
    const reason = headerField(fields, "x-mox-reason");
    if (reason !== undefined) {
      const { sentence } = explainReason(reason);
      writeStdout(`When it came in: ${sentence === "" ? reason.replace(/\s+/g, " ") : sentence}\n`);
    }
    // A file that anyone may have written can't prove whether SPF or DKIM passed.
    const signals = signalsOf(suspectOf(await describe(parsed, read), text, true, []));
    writeStdout(signals.length === 0 ? "Nothing odd is to be noticed.\n" : "To be noticed:\n");
    for (const s of signals) writeStdout(`  ${s.text} (${s.weight})\n`);
    if (signals.length > 0) {
      writeStdout(`  together ${suspicionOf(signals)}; from ${suspicious} on it goes to Junk\n`);
    }
    if (folder === undefined) return;
    await Deno.stat(folder);
    const filter = await JunkFilter.open(folder);
    try {
      const c = filter.classify(messageWords(text, defaultJunkParams));
      writeStdout(
        `The filter, trained with ${filter.hams} good messages and ${filter.spams} spam, ` +
          `gives it ${c.probability.toFixed(4)} between 0 (good) and 1 (junk).\n`,
      );
      const sides = [["For good mail speak", c.hams], ["For junk speak", c.spams]] as const;
      for (const [title, words] of sides) {
        if (words.length === 0) continue;
        writeStdout(`${title}:\n`);
        for (const w of words) {
          writeStdout(`  ${wordName(w.word)}: in ${w.ham} good messages, ${w.spam} spam\n`);
        }
      }
    } finally {
      await filter.close();
    }
  },
};
