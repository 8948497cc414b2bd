/**
 * What a user sets for themselves on a calendar or address book of another account (jmap-calendars §4.3, RFC 9610
 * §2): its name and colour for them, and whether they want to see it. The owner and others don't see it.
 *
 * @module
 */
import type { Collection, Home } from "../../store/groupware/types.ts";
import type { Access } from "../core/method.ts";
import type { ObjectStore, ObjectType } from "../objects/store.ts";

type Json = Record<string, unknown>;

/** Properties of each user's own, by home. */
export const ownProperties: Record<Home, readonly string[]> = {
  addressbooks: ["isSubscribed", "sortOrder"],
  calendars: [
    "isSubscribed",
    "sortOrder",
    "name",
    "color",
    "isVisible",
    "timeZone",
    "includeInAvailability",
    "defaultAlertsWithTime",
    "defaultAlertsWithoutTime",
  ],
};

/** What holds for a user who has set nothing; name, colour and zone are the owner's until then. */
const unset: Record<Home, Json> = {
  addressbooks: { isSubscribed: false, sortOrder: 0 },
  calendars: {
    isSubscribed: false,
    sortOrder: 0,
    isVisible: true,
    includeInAvailability: "none",
    defaultAlertsWithTime: null,
    defaultAlertsWithoutTime: null,
  },
};

interface Stored {
  collection: number;
  values: Json;
}

/** Of one user, for the collections of one other account. */
export class OwnLooks {
  readonly #objects: ObjectStore;
  readonly #user: string;
  readonly #type: ObjectType;

  constructor(objects: ObjectStore, access: Access) {
    this.#objects = objects;
    this.#user = access.user.account;
    this.#type = `look/${access.account.name}`;
  }

  /** Rises with each change; 0 if there was none. */
  get state(): number {
    return this.#objects.state(this.#user, this.#type);
  }

  #all() {
    return this.#objects.list<Stored>(this.#user, this.#type);
  }

  /** The properties that differ from the owner's, or may do so. */
  of(home: Home, collection: Collection): Json {
    const kept = this.#all().find((x) => x.value.collection === collection.id)?.value.values;
    return { ...unset[home], ...kept };
  }

  /** Sets some of them; durable when it resolves. */
  async set(collection: Collection, values: Json): Promise<void> {
    const old = this.#all().find((x) => x.value.collection === collection.id);
    const value: Stored = {
      collection: collection.id,
      values: { ...old?.value.values, ...values },
    };
    if (old === undefined) await this.#objects.add(this.#user, this.#type, value);
    else await this.#objects.put(this.#user, this.#type, old.id, value);
  }

  /** Numbers of the collections changed since a state; undefined for an unknown one. */
  since(state: number): number[] | undefined {
    const changed = this.#objects.changes(this.#user, this.#type, state);
    return changed?.flatMap((e) => {
      const kept = this.#objects.get<Stored>(this.#user, this.#type, e.order);
      return kept === undefined ? [] : [kept.collection];
    });
  }
}
