// Package payloadid holds payload ids as op-geth derives them. The engine's
// tests read the same vectors.
package payloadid
