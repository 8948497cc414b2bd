/**
 * Metrics of the junk filter.
 *
 * @module
 */
import { counter } from "../metrics/mod.ts";

export const classified = counter(
  "mox_junk_classify_total",
  "Messages classified by a junk filter.",
);
export const trained = counter(
  "mox_junk_train_total",
  "Trainings of junk filters by kind of message and action.",
  { kind: ["ham", "spam"], action: ["train", "untrain"] },
);
