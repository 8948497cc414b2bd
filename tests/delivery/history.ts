/** Puts a history into an account's database. */
import type { Db } from "../../src/store/database/database.ts";
import { Flag } from "../../src/store/types.ts";
import { now, type Past, type Sent } from "./scenario.ts";

/** Replaces the history in the database. */
export function fillHistory(db: Db, past: readonly Past[], recipients: readonly Sent[]): void {
  db.transaction(() => {
    for (const table of ["messages", "deliveries", "dkim_domains", "recipients"]) {
      db.exec(`DELETE FROM ${table}`);
    }
    let id = 0;
    const insert = (table: string, row: Record<string, string | number>) => {
      const columns = Object.keys(row);
      db.run(
        `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${
          columns.map(() => "?").join(", ")
        })`,
        ...Object.values(row),
      );
    };
    for (const p of past) {
      for (let i = 0; i < p.times; i++) {
        id++;
        const received = now - p.age;
        insert("messages", {
          id,
          email_id: id,
          mailbox_id: p.mailboxId,
          uid: id,
          modseq: id,
          createseq: id,
          expunged: p.expunged ? 1 : 0,
          flags: (p.junk ? Flag.Junk : 0) | (p.notJunk ? Flag.NotJunk : 0) | Flag.Seen,
          keywords: "",
          received,
          saved: received,
          size: p.size,
        });
        insert("deliveries", {
          message_id: id,
          received,
          orig_mailbox_id: p.mailboxId,
          destined_mailbox_id: 0,
          is_reject: 0,
          is_forward: 0,
          is_list: 0,
          remote_ip: p.remoteIp,
          net1: p.networks[0],
          net2: p.networks[1],
          net3: p.networks[2],
          ehlo_domain: p.ehloDomain,
          mail_from_localpart: p.mailFromLocalpart,
          mail_from_domain: p.mailFromDomain,
          rcpt_to_localpart: p.rcptToLocalpart,
          rcpt_to_domain: p.rcptToDomain,
          msg_from_localpart: p.msgFromLocalpart,
          msg_from_domain: p.msgFromDomain,
          msg_from_org_domain: p.msgFromOrgDomain,
          ehlo_validated: p.ehloValidated ? 1 : 0,
          mail_from_validated: p.mailFromValidated ? 1 : 0,
          msg_from_validated: p.msgFromValidated ? 1 : 0,
          ehlo_validation: p.ehloValidation,
          mail_from_validation: p.mailFromValidation,
          msg_from_validation: p.msgFromValidation,
          tls_version: p.receivedTlsVersion,
          require_tls: 0,
          size: p.size,
        });
        for (const domain of p.dkimDomains) insert("dkim_domains", { domain, message_id: id });
      }
    }
    for (const r of recipients) {
      insert("recipients", {
        localpart: r.localpart,
        domain: r.domain,
        sent: now - r.age,
        message_id: ++id,
        org_domain: r.orgDomain,
      });
    }
  });
}
