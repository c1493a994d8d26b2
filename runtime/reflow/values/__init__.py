"""Small typed values that every other room of Reflow speaks in: keys, errors, policies. Pure, no I/O."""
