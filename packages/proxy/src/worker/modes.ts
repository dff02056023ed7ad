// What makes a session's requests go another way than straight to their slots: bits of `Session.modes`, which is 0 for most, so that the common path
// tests one number. Each bit belongs to the module that sets it.

/** It has subscribed to something. */
export const MODE_SUBSCRIBED = 64;
/** All of its requests under way, if any, are PUBLISHes. */
export const MODE_PUBLISHING = 128;
