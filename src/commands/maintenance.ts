/** Repairs of accounts. @module */
import { adminCommand } from "./admin_call.ts";
import type { Command } from "./command.ts";

const accountAndMailbox = ([account, mailbox]: string[]) => ({ account, mailbox: mailbox ?? "" });
const maybeAccount = ([account]: string[]) => ({ account: account ?? "" });

export const maintenanceCommands: readonly Command[] = [
  adminCommand({
    name: "retention",
    usage: "[account]",
    summary: "Say which old messages would be removed",
    help: `
Prints how many messages Retention of mox.conf and of the account would remove now, by mailbox, of one
account or of all. Nothing is removed by this command: the server does that once a day.`,
    max: 1,
    toArgs: maybeAccount,
  }),
  adminCommand({
    name: "bumpuidvalidity",
    usage: "account [mailbox]",
    summary: "Make mail programs fetch mailboxes anew",
    help: `
Gives a mailbox, or all of an account, a new UIDVALIDITY. Mail programs then forget what they kept of it
and fetch it anew. For when one shows something else than what is here.`,
    min: 1,
    max: 2,
    toArgs: accountAndMailbox,
  }),
  adminCommand({
    name: "reassignuids",
    usage: "account [mailbox]",
    summary: "Number the messages of mailboxes anew",
    help: `
Gives the messages of a mailbox, or of all of an account, the uids 1, 2, 3 and so on, in their order, and
the mailbox a new UIDVALIDITY. Not while sessions have the account open.`,
    min: 1,
    max: 2,
    toArgs: accountAndMailbox,
  }),
  adminCommand({
    name: "fixuidmeta",
    usage: "account",
    summary: "Set right UIDNEXT and UIDVALIDITY",
    help: `
Sets UIDNEXT of each mailbox above the uids in it, and the account's next UIDVALIDITY above those of its
mailboxes, where they are not. Not while sessions have the account open.`,
    min: 1,
    toArgs: maybeAccount,
  }),
  adminCommand({
    name: "fixmsgsize",
    usage: "[account]",
    summary: "Set right sizes of messages",
    help: `
Compares the size of each message with its file and its prefix in the database, and corrects it and the
counts it is in; of one account, or of all. After it, "reparse" is in order for what was corrected.`,
    max: 1,
    toArgs: maybeAccount,
  }),
  adminCommand({
    name: "reparse",
    usage: "[account]",
    summary: "Parse all messages again",
    help: `
Computes anew what is kept of each message's content, such as its structure and envelope; of one account,
or of all. For after an upgrade that parses better.`,
    max: 1,
    toArgs: maybeAccount,
  }),
  adminCommand({
    name: "ensureparsed",
    usage: "[-all] account",
    summary: "Parse messages that were not parsed",
    help: `
Parses the messages of an account that lack what is kept of their content.

  -all   parse the others again too`,
    flags: { all: false },
    min: 1,
    toArgs: ([account], { all }) => ({ account, all }),
  }),
  adminCommand({
    name: "recalculatemailboxcounts",
    usage: "account",
    summary: "Count the messages of mailboxes again",
    help: `
Counts messages, unread ones, and sizes of each mailbox of an account, and corrects the counts that are
kept.`,
    min: 1,
    toArgs: maybeAccount,
  }),
  adminCommand({
    name: "reassignthreads",
    usage: "[account]",
    summary: "Match messages to threads again",
    help: `
Forgets the threads of an account, or of all, and matches each message to its thread again. What is muted
or collapsed stays so.`,
    max: 1,
    toArgs: maybeAccount,
  }),
];
