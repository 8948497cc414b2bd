/** What is stored of address books and calendars. @module */

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
  /** Of the last change in it. */
  modseq: number;
  createseq: number;
  /** Milliseconds since the epoch. */
  created: number;
  /** Of the last change of its name, properties and rights. */
  propseq: number;
}

/** What came, changed or went of a home since a time. */
export interface GroupwareEvent {
  kind: "created" | "updated" | "destroyed";
  modseq: number;
  /** Number of the object or collection. */
  id: number;
}

/** What an index has of an object. */
export interface ObjectIndex {
  uid: string;
  /** "VEVENT", "VTODO", … or "VCARD". */
  component: string;
  /** Milliseconds since the epoch; null for what has no time, or no end. */
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
  /** Set where this is less than what is stored: of a private event, for who isn't its owner. */
  reduced?: true;
}

/** Who changes an event. */
export interface EventAuthor {
  /** Name of the account here; undefined for people elsewhere. */
  account: string | undefined;
  /** Whether it is the one that has the calendar. */
  owner: boolean;
  /** "" if it isn't known. */
  address: string;
  name: string;
}

/** A change of an event, for who else sees it. */
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
  /** What the author says to it. */
  comment: string;
  /** Contents; undefined too where nobody hears of them but the author. */
  before: Uint8Array | undefined;
  after: Uint8Array | undefined;
}

/** An object to be written. */
export interface NewObject {
  name: string;
  content: Uint8Array;
  index: ObjectIndex;
  /** The tag to keep; undefined makes none. */
  scheduleTag?: string;
}

/** What has to hold for a write, checked in its transaction. */
export interface Condition {
  /** Etag that the object must have; "*" for any; undefined for no condition. */
  ifMatch?: readonly string[] | "*";
  /** Etags that it must not have; "*" for none at all. */
  ifNoneMatch?: readonly string[] | "*";
  /** Schedule-Tag that the object must have. */
  ifScheduleTag?: string;
  /** Throws where what is there may not be changed or taken away by who asks. */
  mayChange?: (there: ObjectRow) => void;
}

/** A write that can't be. */
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
