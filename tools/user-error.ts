// A mistake of the user: the command prints the one sentence and exits non-zero, without a stack trace.

/** An error whose message is a sentence for the user of a command. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
