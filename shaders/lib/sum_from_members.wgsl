  // A member's C is never added to.
