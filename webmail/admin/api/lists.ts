/** Calls for mailing lists. @module */
import * as v from "valibot";
import { Count, Nothing, text } from "../../api/basics.ts";

const Address = v.pipe(text(500), v.minLength(3));
const addresses = v.pipe(v.array(Address), v.minLength(1), v.maxLength(10_000));
const verdict = v.picklist(["approve", "reject", "discard"]);

export const ListSettings = v.strictObject({
  name: text(200),
  description: text(2000),
  owners: v.pipe(v.array(Address), v.minLength(1), v.maxLength(100)),
  posting: v.picklist(["members", "anyone", "owners"]),
  others: v.picklist(["hold", "refuse"]),
  moderated: v.boolean(),
  subscribing: v.picklist(["open", "approve", "closed"]),
  archive: v.picklist(["members", "public", "none"]),
  from: v.picklist(["dmarc", "always", "never"]),
  replyToList: v.boolean(),
  subjectPrefix: text(200),
  /** In bytes. */
  maxMessageSize: Count,
  unlisted: v.boolean(),
});
export type ListSettings = v.InferOutput<typeof ListSettings>;

export const ListShown = v.object({
  address: v.string(),
  settings: ListSettings,
  members: Count,
  held: Count,
});
export type ListShown = v.InferOutput<typeof ListShown>;

export const listCalls = {
  /** The lists of a domain. */
  Lists: {
    request: v.strictObject({ domain: v.pipe(text(500), v.minLength(1)) }),
    response: v.object({ lists: v.array(ListShown) }),
  },
  ListAdd: {
    request: v.strictObject({ address: Address, settings: ListSettings }),
    response: Nothing,
  },
  ListSet: {
    request: v.strictObject({ address: Address, settings: ListSettings }),
    response: Nothing,
  },
  ListRemove: { request: v.strictObject({ address: Address }), response: Nothing },
  /** 200 at a time: `after` is the id of the last one so far, 0 at first. */
  ListMembers: {
    request: v.strictObject({ address: Address, after: Count }),
    response: v.object({
      members: v.array(v.object({
        id: Count,
        address: v.string(),
        name: v.string(),
        /** Milliseconds since the epoch. */
        added: v.number(),
        /** Days on which messages bounced. */
        bounces: Count,
        bounceText: v.string(),
        /** Whether it no longer gets messages. */
        dead: v.boolean(),
      })),
    }),
  },
  /** Without asking for their consent. */
  ListMembersAdd: {
    request: v.strictObject({ address: Address, members: addresses }),
    response: v.object({ added: Count }),
  },
  ListMembersRemove: {
    request: v.strictObject({ address: Address, members: addresses }),
    response: Nothing,
  },
  /** Sends to a member again in spite of bounces. */
  ListMemberResume: {
    request: v.strictObject({ address: Address, member: Address }),
    response: Nothing,
  },
  ListHeld: {
    request: v.strictObject({ address: Address }),
    response: v.object({
      held: v.array(v.object({
        id: Count,
        author: v.string(),
        subject: v.string(),
        reason: v.string(),
        received: v.number(),
        size: Count,
      })),
    }),
  },
  ListDecide: {
    request: v.strictObject({ address: Address, id: Count, verdict }),
    response: Nothing,
  },
};
