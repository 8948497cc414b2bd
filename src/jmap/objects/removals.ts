/** /set of objects that the server creates and clients can only remove (RFC 9670 §3.5). @module */
import { SetError } from "../core/errors.ts";
import type { MethodContext } from "../core/method.ts";
import { notFound, runSet, type SetArgs } from "../core/set.ts";
import { objectNumber, type ObjectType } from "./store.ts";

/** The response to /set. */
export async function removalsOnly(
  ctx: MethodContext,
  args: SetArgs,
  account: string,
  type: ObjectType,
): Promise<Record<string, unknown>> {
  const { objects } = ctx.s;
  const find = (id: string): number => {
    const number = objectNumber(type, id);
    if (number === undefined || objects.get(account, type, number) === undefined) throw notFound();
    return number;
  };
  const forbidden = () => new SetError("forbidden", "the server makes these");
  return await runSet(ctx, args, {
    state: () => String(objects.state(account, type)),
    create: () => Promise.reject(forbidden()),
    async update(id) {
      await find(id);
      throw forbidden();
    },
    async destroy(id) {
      await objects.remove(account, type, find(id));
    },
  });
}
