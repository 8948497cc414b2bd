/**
 * The Bayesian junk filter: one per account, trained by the user's $Junk and $NotJunk flags.
 *
 * A message is converted to words ({@link messageWords}); words are counted in ham and spam ({@link
 * JunkFilter.train}), and give the probability that a new message is spam ({@link JunkFilter.classify}). {@link
 * trainingSteps} decides which messages are trained, and when.
 *
 * May import the store's database wrapper, metrics and the levels below. Called by delivery (classify), on flag
 * changes (train), by import and by the junk and retrain commands.
 *
 * @module
 */
export { defaultJunkParams, defaultThreshold, junkParams, JunkParamsError } from "./params.ts";
export type { JunkParams } from "./params.ts";
export { JunkFilter, JunkFilterClosedError } from "./filter.ts";
export type { LabelledWords } from "./filter.ts";
export type { Classification, WordScore } from "./score.ts";
export { wordName } from "./word_names.ts";
export { maxHeader, maxText, maxWords, messageWords } from "./words.ts";
export type { MessageText } from "./words.ts";
export {
  type AutomaticJunkFlags,
  automaticJunkFlags,
  defaultAutomaticJunkFlags,
  Trained,
  type TrainedState,
  type TrainingSteps,
  trainingSteps,
} from "./training.ts";
export {
  checkMessages,
  chronologicalSplit,
  type JunkReport,
  type LabelledMessage,
  playMessages,
  trainMessages,
} from "./evaluate.ts";
