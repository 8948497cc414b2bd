/** An account's data outside its folder that moves with it to another node. @module */
import { junkDaysOfAccounts } from "../../delivery/junk_figures.ts";
import { learningOfAccounts } from "../../delivery/scan_learning.ts";
import { sieveOfAccounts } from "../../delivery/sieve/database.ts";
import { jmapOfAccounts } from "../../jmap/objects/store.ts";
import { hooksOfAccounts, queueOfAccounts } from "../../queue/mod.ts";
import type { AccountDatabase } from "../../store/database/account_rows.ts";
import { attemptsOfAccounts } from "../../store/logins/attempts.ts";
import { tlsKeysOfAccounts } from "../../store/logins/tls_keys.ts";
import { sharesOfAccounts } from "../../store/mailboxes/shares.ts";
import { requestsOfAccounts } from "../../web/webapi/seen_requests.ts";
import { scheduledOfAccounts } from "../../web/webmail/sending/rows.ts";
import { snoozedOfAccounts } from "../../web/webmail/scheduled/snoozed.ts";

/**
 * Databases shared by all accounts of a node. Web sessions, queued messages and pending webhook calls
 * stay where they are.
 */
export const movedDatabases: readonly AccountDatabase[] = [
  sieveOfAccounts,
  jmapOfAccounts,
  tlsKeysOfAccounts,
  sharesOfAccounts,
  requestsOfAccounts,
  scheduledOfAccounts,
  snoozedOfAccounts,
  queueOfAccounts,
  hooksOfAccounts,
  junkDaysOfAccounts,
  learningOfAccounts,
  attemptsOfAccounts,
];
