/** An event that can't be written. `names` are the invalid properties. */
export class EventError extends Error {
  override name = "EventError";
  readonly names: readonly string[];
  constructor(names: readonly string[], message: string) {
    super(message);
    this.names = names;
  }
}
