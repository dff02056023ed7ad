// What ends `npm start` with a sentence instead of a stack: something the person at the terminal can mend.

export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

/** The start was called off by a signal; there is nothing to say. */
export class StartCancelled extends Error {
  override readonly name = 'StartCancelled';
}
