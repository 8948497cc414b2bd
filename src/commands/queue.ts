/** The subcommands about the outgoing queue, and about SMTP. @module */
import type { Command } from "./command.ts";
import { queueChanges } from "./queue_change.ts";
import { queueDump, queueList, queueRetired, queueRetiredPrint } from "./queue_list.ts";
import { queueRules } from "./queue_rules.ts";
import { queueWebhooks } from "./queue_webhook.ts";
import { smtpDial } from "./smtp_dial.ts";

export const queueCommands: readonly Command[] = [
  queueList,
  ...queueChanges,
  queueDump,
  ...queueRules,
  { ...queueRetired, name: "queue retired" },
  queueRetired,
  queueRetiredPrint,
  ...queueWebhooks,
  smtpDial,
];
