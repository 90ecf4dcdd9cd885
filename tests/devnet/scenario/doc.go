// Package scenario holds tests that drive Blockwright by a real op-node. The
// README of the module says how they are run.
package scenario
