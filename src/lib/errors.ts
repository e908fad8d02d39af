/** An error whose message is meant for the person: what happened, where, and what to do. */
export class UserError extends Error {
  override name = 'UserError';
}
