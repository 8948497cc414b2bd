/** `mox config account retention`, `config account legalhold` and `config domain journal`. @module */
import { readStdinBytes } from "../platform/terminal.ts";
import { adminCommand } from "./admin_call.ts";
import { type Command, UsageError } from "./command.ts";

/** Bytes of a key: OpenPGP keys may have many signatures of others. */
const maxKey = 300_000;

export const configKeeping: readonly Command[] = [
  adminCommand({
    name: "config account retention",
    trial: true,
    usage: "account [mailbox=days ...]",
    summary: "Show or set how long an account's messages are kept",
    help: `
Prints the account's own rules, or sets those that are given: after so many days in the mailbox messages are removed for
good, once a day. 0 keeps for ever; "none" takes the rule away, so that those of mox.conf hold. For the mailbox a name or a special use
such as \\Trash. "mox retention" says what the rules would remove now.`,
    min: 1,
    max: 1000,
    toArgs: ([account, ...rules]) => ({ account, rules }),
  }),
  adminCommand({
    name: "config account legalhold",
    trial: true,
    usage: "account on|off",
    summary: "Remove nothing of an account by its age, or do so again",
    help: `
While it is on, neither rules of retention nor the cleaning of the Rejects mailbox remove anything. What the user removes is
gone all the same.`,
    min: 2,
    max: 2,
    toArgs([account, state]) {
      if (state !== "on" && state !== "off") {
        throw new UsageError(`on or off expected, not ${JSON.stringify(state)}`);
      }
      return { account, on: state === "on" };
    },
  }),
  adminCommand({
    name: "config domain journal",
    trial: true,
    usage: "[-key | -plain] [-off] domain [address [mailbox]]",
    summary: "Show or set where copies of all mail of a domain go",
    help: `
Prints where copies go, or sets it: to an address of an account here, into the mailbox (default Journal), or to one elsewhere. A
key that was set stays until -key or -plain.

  -key     encrypt copies to the OpenPGP public key or S/MIME certificate on standard input
  -plain   keep copies as they are
  -off     keep no more copies`,
    flags: { key: false, plain: false, off: false },
    min: 1,
    max: 3,
    async toArgs([domain, address = "", mailbox = ""], { key, plain, off }) {
      if (key && plain) throw new UsageError("-key and -plain can't go together");
      if (off && (address !== "" || key || plain)) throw new UsageError("-off goes alone");
      if ((key || plain) && address === "") throw new UsageError("-key and -plain need an address");
      const text = key ? new TextDecoder().decode(await readStdinBytes(maxKey)) : "";
      if (key && text.trim() === "") throw new UsageError("no key on standard input");
      return { domain, address, mailbox, key: text, plain, off };
    },
  }),
];
