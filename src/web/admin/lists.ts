/** Mailing lists: their settings, members, and held messages. @module */
import type { listCalls } from "../../../webmail/admin/api/lists.ts";
import * as admin from "../../admin/mod.ts";
import { maxSlice } from "../../lists/members.ts";
import { type CallHandlers, HttpError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type AdminPageOptions, withAdminErrors } from "./options.ts";

export function listHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof listCalls, PageContext> {
  const { config } = options;
  const lists = (): admin.RunningLists => {
    const open = options.lists();
    if (open === undefined) throw new HttpError(503, "the server is starting");
    return open;
  };
  const keyOf = (address: string) => withAdminErrors(() => admin.listOf(config, address).key);
  return {
    Lists({ domain }) {
      const entry = config.domain(domain);
      if (entry === undefined) throw new HttpError(404, `there is no domain ${domain}`);
      const { db } = lists();
      return {
        lists: [...entry.config.Lists].map(([localpart, l]) => {
          const key = `${localpart.toLowerCase()}@${entry.name.ascii}`;
          return {
            address: `${localpart}@${entry.name.unicode}`,
            settings: {
              name: l.Name,
              description: l.Description,
              owners: l.Owners,
              posting: l.Posting || "members",
              others: l.Others || "hold",
              moderated: l.Moderated,
              subscribing: l.Subscribing || "open",
              archive: l.Archive || "members",
              from: l.From || "dmarc",
              replyToList: l.ReplyToList,
              subjectPrefix: l.SubjectPrefix,
              maxMessageSize: l.MaxMessageSize,
              unlisted: l.Unlisted,
            },
            members: db.members.count(key),
            held: db.posts.heldCount(key),
          };
        }),
      };
    },
    async ListAdd({ address, settings }) {
      await withAdminErrors(() => admin.addList(config, address, settings));
      return {};
    },
    async ListSet({ address, settings }) {
      await withAdminErrors(() => admin.updateList(config, address, settings));
      return {};
    },
    async ListRemove({ address }) {
      await withAdminErrors(() => admin.removeList(config, address));
      return {};
    },
    async ListMembers({ address, after }) {
      const key = await keyOf(address);
      return {
        members: lists().db.members.after(key, after, maxSlice).map((member) => ({
          id: member.id,
          address: member.address,
          name: member.name,
          added: member.added,
          bounces: member.bounces,
          bounceText: member.bounceText,
          dead: member.dead,
        })),
      };
    },
    async ListMembersAdd({ address, members }) {
      const { db } = lists();
      const added = await withAdminErrors(() =>
        admin.addListMembers(config, db, address, members, Date.now())
      );
      return { added };
    },
    async ListMembersRemove({ address, members }) {
      await withAdminErrors(() => admin.removeListMembers(config, lists().db, address, members));
      return {};
    },
    async ListMemberResume({ address, member }) {
      await withAdminErrors(() => admin.resumeListMember(config, lists().db, address, member));
      return {};
    },
    async ListHeld({ address }) {
      const key = await keyOf(address);
      return {
        held: lists().db.posts.before(key, ["held"], Number.MAX_SAFE_INTEGER, 500).map((post) => ({
          id: post.id,
          author: post.author,
          subject: post.subject,
          reason: post.reason,
          received: post.received,
          size: post.size,
        })),
      };
    },
    async ListDecide({ address, id, verdict }) {
      const list = await withAdminErrors(() => admin.listOf(config, address));
      await withAdminErrors(() => lists().decide(list, id, verdict));
      return {};
    },
  };
}
