/** Messages that wait for an owner of the list. @module */
import type { ResolvedList } from "../../config/mod.ts";
import type { Post } from "../../lists/posts.ts";
import { heldNotice, rejected } from "../../lists/notices.ts";
import { ListRefusal } from "./membership.ts";
import {
  type ListServices,
  mayWriteTo,
  pagesUrl,
  sendNotice,
  tellOwners,
  tokenOf,
} from "./services.ts";

/** Tells the owners of a message that waits. */
export async function tellOfHeld(s: ListServices, list: ResolvedList, post: Post): Promise<void> {
  const tokens = {
    approve: tokenOf(s, list, "approve", post.id),
    reject: tokenOf(s, list, "reject", post.id),
    discard: tokenOf(s, list, "discard", post.id),
  };
  await tellOwners(s, list, (to) => heldNotice(list, to, post, tokens, pagesUrl(s.config)));
}

/** Decides about a held message. Durable when it resolves. @throws ListRefusal if it isn't there any more */
export async function decide(
  s: ListServices,
  list: ResolvedList,
  id: number,
  verdict: "approve" | "reject" | "discard",
): Promise<void> {
  const post = s.db.posts.get(list.key, id);
  if (post?.state !== "held") throw new ListRefusal("the message was decided about before");
  s.log.info("list: held message", { list: list.key, id, verdict, author: post.author });
  if (verdict === "approve") {
    s.db.posts.release(list.key, id);
    await s.db.durable();
    return;
  }
  if (verdict === "reject" && mayWriteTo(s, list, post.author)) {
    await sendNotice(s, list, rejected(list, post.author, post.subject));
  }
  await s.db.posts.remove(list.key, id);
}
