package network

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// writeJWTSecret puts a new shared secret of the Engine API into file.
func writeJWTSecret(file string) error {
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return fmt.Errorf("JWT secret: %w", err)
	}
	return os.WriteFile(file, []byte("0x"+hex.EncodeToString(secret[:])+"\n"), 0o600)
}

// readJWTSecret reads what writeJWTSecret wrote.
func readJWTSecret(file string) (secret [32]byte, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return secret, fmt.Errorf("JWT secret: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(string(text)), "0x"))
	if err != nil || len(raw) != len(secret) {
		return secret, fmt.Errorf("JWT secret %s: not 32 bytes of hex", file)
	}
	copy(secret[:], raw)
	return secret, nil
}
