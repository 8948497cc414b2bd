/** The stored values of address books and calendars. @module */

export type CollectionKind = "calendar" | "addressbook" | "inbox" | "outbox";

/** Which of an account's two homes a collection is in. */
export type Home = "calendars" | "addressbooks";

/** A calendar or address book. */
export interface Collection {
  id: number;
  kind: CollectionKind;
  home: Home;
  /** Last segment of its address. */
  name: string;
  /** Kinds of components that a calendar takes; empty for all, and for address books. */
  components: string[];
  /** Modseq of the last change in it. */
  modseq: number;
  createseq: number;
  /** Milliseconds since the epoch. */
  created: number;
  /** Modseq of the last change of its name, properties and rights. */
  propseq: number;
}

/** An addition, change or removal in a home. */
export interface GroupwareEvent {
  kind: "created" | "updated" | "destroyed";
  modseq: number;
  /** Number of the object or collection. */
  id: number;
}

/** The index data of an object. */
export interface ObjectIndex {
  uid: string;
  /** "VEVENT", "VTODO", … or "VCARD". */
  component: string;
  /** Milliseconds since the epoch; null without a time, or without an end. */
  first: number | null;
  last: number | null;
  recurring: boolean;
  summary: string;
  emails: readonly string[];
  /** Lower case. */
  search: string;
}

/** An object without its content. */
export interface ObjectRow extends ObjectIndex {
  id: number;
  collectionId: number;
  name: string;
  size: number;
  /** Strong, without quotes. */
  etag: string;
  scheduleTag: string;
  modseq: number;
  createseq: number;
  created: number;
  modified: number;
  /** Set where this is less than what is stored: a private event, for users other than its owner. */
  reduced?: true;
}

/** Who changes an event. */
export interface EventAuthor {
  /** Name of the account here; undefined for people elsewhere. */
  account: string | undefined;
  /** Whether it is the owner of the calendar. */
  owner: boolean;
  /** "" if unknown. */
  address: string;
  name: string;
}

/** A change of an event, for others who see it. */
export interface EventChange {
  kind: "created" | "updated" | "destroyed";
  /** Number of the event, and of its calendar now. */
  id: number;
  collectionId: number;
  /** Number of the calendar that it was in. */
  wasIn: number | undefined;
  /** Other accounts that may read the calendar. */
  readers: readonly string[];
  by: EventAuthor;
  /** The author's comment on it. */
  comment: string;
  /** Contents; also undefined where nobody but the author is notified. */
  before: Uint8Array | undefined;
  after: Uint8Array | undefined;
}

/** An object to be written. */
export interface NewObject {
  name: string;
  content: Uint8Array;
  index: ObjectIndex;
  /** The tag to store; undefined for none. */
  scheduleTag?: string;
}

/** What must hold for a write, checked in its transaction. */
export interface Condition {
  /** Etags of which the object must have one; "*" for any; undefined for no condition. */
  ifMatch?: readonly string[] | "*";
  /** Etags that the object must not have; "*" if it must not exist. */
  ifNoneMatch?: readonly string[] | "*";
  /** Schedule-Tag that the object must have. */
  ifScheduleTag?: string;
  /** Throws if the requester may not change or remove the existing object. */
  mayChange?: (there: ObjectRow) => void;
}

/** A write that is refused. */
export class GroupwareError extends Error {
  override name = "GroupwareError";
  readonly kind:
    | "condition"
    | "missing"
    | "exists"
    | "uidConflict"
    | "uidChanged"
    | "full"
    | "tokenTooOld"
    | "kept"
    | "private";
  /** Of "uidConflict": the name of the object that has the uid. */
  readonly other: string;
  constructor(kind: GroupwareError["kind"], message: string, other = "") {
    super(message);
    this.kind = kind;
    this.other = other;
  }
}
