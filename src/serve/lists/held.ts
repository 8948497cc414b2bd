/** Messages held for moderation by an owner of the list. @module */
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

/** Notifies the owners of a held message. */
export async function tellOfHeld(
  services: ListServices,
  list: ResolvedList,
  post: Post,
): Promise<void> {
  const tokens = {
    approve: tokenOf(services, list, "approve", post.id),
    reject: tokenOf(services, list, "reject", post.id),
    discard: tokenOf(services, list, "discard", post.id),
  };
  await tellOwners(
    services,
    list,
    (to) => heldNotice(list, to, post, tokens, pagesUrl(services.config)),
  );
}

/** Decides about a held message. Durable when it resolves. @throws ListRefusal if it no longer exists */
export async function decide(
  services: ListServices,
  list: ResolvedList,
  id: number,
  verdict: "approve" | "reject" | "discard",
): Promise<void> {
  const post = services.db.posts.get(list.key, id);
  if (post?.state !== "held") throw new ListRefusal("the message was decided about before");
  services.log.info("list: held message", { list: list.key, id, verdict, author: post.author });
  if (verdict === "approve") {
    services.db.posts.release(list.key, id);
    await services.db.durable();
    return;
  }
  if (verdict === "reject" && mayWriteTo(services, list, post.author)) {
    await sendNotice(services, list, rejected(list, post.author, post.subject));
  }
  await services.db.posts.remove(list.key, id);
}
