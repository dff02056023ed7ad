// What makes a session's requests go another way than straight to their slots: bits of `Session.modes`, which is 0 for most, so that the common path
// tests one number (`Router.#intercept`). Each bit belongs to the module that sets it.

/** Between MULTI and EXEC. */
export const MODE_TRANSACTION = 1;
/** CLIENT REPLY OFF, and SKIP for the next reply alone. */
export const MODE_REPLY_OFF = 2;
export const MODE_REPLY_SKIP = 4;
export const MODES_MUTE = MODE_REPLY_OFF | MODE_REPLY_SKIP;
/** It sent MONITOR. */
export const MODE_MONITOR = 8;
/** Somebody monitors this proxy; CLIENT PAUSE is in force. Bits of all sessions alike. */
export const MODE_MONITORED = 16;
export const MODE_PAUSED = 32;
export const MODES_OF_PROXY = MODE_MONITORED | MODE_PAUSED;
/** It has subscribed to something. */
export const MODE_SUBSCRIBED = 64;
/** All of its requests under way, if any, are PUBLISHes. */
export const MODE_PUBLISHING = 128;
export const MODES_PUBSUB = MODE_SUBSCRIBED | MODE_PUBLISHING;
/** It sent READONLY. */
export const MODE_READONLY = 256;
